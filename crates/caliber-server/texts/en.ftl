# What the pages say. A key is asked for by a template ("key"|t) or by the code of a page; a test finds keys that are
# missing and keys that nobody asks for.

## Everywhere
brand = Caliber
skip-to-content = Skip to content
menu = Menu
main-navigation = Main
new-campaign = New campaign
nav-dashboard = Dashboard
nav-campaigns = Campaigns
nav-lists = Lists
nav-files = Files
nav-recipes = Recipes and templates
nav-jobs = Jobs
nav-organisation = Organisation
nav-people = People
nav-settings = Settings
nav-help = Help
theme = Colours
theme-light = Light
theme-system = As the system
theme-dark = Dark
save = Save
name = Name
email = E-mail
password = Password
role = Role
status = Status
created = Created
progress = Progress

## Roles
role-viewer = Viewer
role-analyst = Analyst
role-manager = Manager
role-admin = Administrator
role-client = Client
role-expert = Expert

## Done
notice-saved = Saved.
notice-deleted = Deleted.
notice-password-changed = Your password is changed. All other sessions have ended.
notice-registered = Welcome to Caliber. Your account is ready.
notice-signed-out = You are signed out.
notice-cancelled = Scoring was cancelled.
notice-started = Scoring has started.
notice-joined = You have joined the organisation, and your campaigns came along.
notice-withdrawn = The invitation is taken back.

## Signing in
sign-in = Sign in
sign-in-title = Sign in
sign-in-first = Sign in to go on to the page you asked for.
sign-out = Sign out
no-account = No account yet?
have-account = Have an account?
register = Create an account
register-title = Create your account
register-lead = You get an organisation of your own. Invite others later, or join theirs by an invitation.
register-submit = Create account
password-hint = A few unusual words in a row are hard to guess and easy to remember.

## Profile
profile = Profile
profile-you = You
member-since = Since
change-password = Change password
current-password = Present password
new-password = New password
other-sessions-end = All your other sessions end.
development-sign-in = This is the development sign-in of this machine. It has no password; a registered account has one.

## Errors
error-home = To the dashboard
error-not-found = This page does not exist
error-forbidden = Your role does not allow this
error-conflict = That does not go together
error-invalid = Something in the request is not right
error-too-large = That is too large
error-rate-limited = Too many attempts
error-unavailable = Something needed does not answer
error-internal = Something went wrong on our side

## Dropping a report
drop-here = Drop the report to score it
upload-progress = Upload
upload-too-large = The file is larger than this server takes.
upload-reading = reading it
upload-broken = The connection broke off. Try again.

## Campaigns
campaign = Campaign
score = Score
spend = Spend
at-risk = At risk
scored-names = Scored
recent-campaigns = Recent campaigns
all-campaigns = All campaigns
status-no-report = No report yet
status-ready = Ready to score
status-processing = Scoring
status-completed = Scored
status-failed = Failed
channel-ctv = CTV
channel-display = Display
channel-video = Video
channel-audio = Audio
goal-awareness = Awareness
goal-action = Action

## Dashboard
dashboard-empty-title = Score your first report
dashboard-empty-text = Take a site or supply report as your platform exports it. Caliber finds the columns, scores every name, and gives you what to buy and what to block.
dashboard-empty-upload = Choose a report
dashboard-empty-sample = Try it with a sample
dashboard-empty-hint = You can also drop a file anywhere on any page.
how-it-works = How it works
step-drop = Drop a report
step-drop-text = CSV, Excel or Parquet, from any platform. Nothing has to be renamed or cleaned.
step-check = Check what was understood
step-check-text = Platform, channel and columns are recognised. Everything can be changed before scoring.
step-lists = Take the lists away
step-lists-text = Every name gets a score from 0 to 100 with its reasons, and lands on the allowlist, the blocklist or neither.
figure-mean-score = Mean campaign score
figure-mean-score-note = Of the campaigns that were scored
figure-mean-score-line = Scores of the latest campaigns, oldest first
figure-at-risk = Spend on names to block
figure-of-spend = of { $spend } spent
figure-scored = Campaigns scored
figure-processing = { $count ->
    [0] None under way
    [one] One under way
   *[other] { $count } under way
  }
figure-attention = Need attention
figure-attention-note = Listed below
needs-attention = Needs attention
nothing-waits = Nothing waits for you.
attention-failed = Scoring failed
attention-ready = Has a report and is ready to score
attention-no-report = Has no report yet
attention-at-risk = Much of the spend is on names to block

## New campaign
new-campaign-lead = Drop a report as your platform exports it. You see what was understood before anything is scored.
drop-title = Drop a report here, or choose one
drop-kinds = CSV, TSV, XLSX, XLS or Parquet, text also as .gz or .zst.
drop-limit = Up to
report = Report
upload-report = Upload
no-report-title = No report at hand?
no-report-text = A made-up Trade Desk report of 20,000 rows, with good and bad sites planted in it.

## Checking a report
review-title = Check what was understood
review-not-yet = This cannot be scored yet
review-settings = Read as
review-recognised = Recognised
review-not-recognised = Not recognised
review-columns = Columns
review-columns-note = Change what a column stands for where it was not understood.
platform = Platform
channel = Channel
goal = Goal
level = What is scored
level-domain = Sites and apps
level-supply-vendor = Supply vendors
choose = Choose
ctr-sensitivity = Clicks matter: weigh the click-through rate higher
from-template = Settings of a template
no-template = None
save-as-template = Keep these settings as a template
rows = Rows
read-as = Read as
score-it = Score it
check-again = Check again
header = Header
stands-for = Stands for
stands-for-of = What “{ $header }” stands for
not-used = Not used
how-found = Found by
how-known = Its header
how-similar = A similar header
how-given = By hand
how-unused = –
first-rows = First rows

## Lists of things
of = of
pages = Pages
previous = Previous
next = Next
search = Search
delete = Delete
cancel = Cancel
nothing-found = Nothing found
nothing-found-text = Nothing has all that was asked for. Ask for less.
search-campaigns = Search campaigns
every-status = Every status
status-pending = Not scored yet
campaigns-empty-title = No campaigns yet
campaigns-empty-text = A campaign is a report and what was found in it. Drop a report to make the first.

## A campaign
scoring-now = Scoring
rate = Rate
rows-a-second = rows/s
time-left = Time left
step-initializing = Waiting for a worker
step-loading-data = Reading the report
step-preprocessing = Putting rows together
step-normalizing = Bringing metrics to one scale
step-scoring = Scoring
step-finalizing = Writing the results
step-completed = Done
check-and-score = Check and score again
delete-campaign-question = Delete this campaign with its report and its results?
campaign-ready-title = Ready to score
campaign-ready-text = The report is here. Check what was understood of it, then score it.
campaign-no-report-title = No report yet
campaign-no-report-text = This campaign was made without a report. Drop one to score it.
campaign-score = Campaign score
campaign-score-note = Mean of the scores, by impressions
impressions = impressions
impressions-column = Impressions
on-lists = Allow / block
on-lists-note = Names on each list
results = Results
search-names = Search names
site = Name
band = Band
percentile = Percentile
band-good = Good
band-moderate = Moderate
band-poor = Poor

## Results of a campaign
campaign-pages = Pages of the campaign
what-if = What if
compare = Compare
score-again = Score again
results-treated = Outliers treated
results-of-before = Until it is done, the results of the run before are shown.
rescore-failed = Scoring again failed. These are the results of the run before.
rows-sites = Sites
rows-vendors = Supply vendors
row-site = Site
row-vendor = Supply vendor
allowlist = Allowlist
blocklist = Blocklist
download = Download
download-report = Reports
download-pdf = Client report
download-workbook = Workbook
download-summary = Summary
download-rows = All rows
download-results = Results
download-data = Everything about the campaign
download-lists = Both lists
download-forms = Upload forms of DSPs
figure-median = Median of the scores: { $median }
figure-cpm = Average CPM { $cpm }
figure-scored-suffix = scored
figure-left-out = { $count ->
    [one] One had too few impressions
   *[other] { $count } had too few impressions
  }
figure-none-left-out = None had too few impressions
figure-lists = On the blocklist
figure-blocked = to block
figure-allowed = { $count } to buy
figure-bands = Bands
policy-quartile = By score
policy-quartile-note = The worst and the best share of the rows
policy-evidence = By evidence
policy-evidence-note = Of these only what the counts prove
charts = Charts
charts-failed = The charts could not be loaded. The tables below them hold the same figures.
chart-histogram = Scores
chart-histogram-note = Click a bar to see its rows
chart-histogram-alt = Histogram of the scores, by band; the table below holds its figures
chart-bubbles = Score against spend
chart-bubbles-impressions = Score against impressions
chart-bubbles-all = Size by impressions; click a bubble to explain it
chart-bubbles-some = The { $count } with the most spend; click one to explain it
chart-bubbles-alt = Rows by score and spend, sized by impressions; the table below has the largest
chart-contributions = What sets good and poor apart
chart-contributions-note = Points against the average row
chart-sort-by = Sort by { $metric }
chart-as-table = As a table

## The grid of results
every-band = Every band
filters = Filters
min-score = Score from
max-score = Score to
min-impressions = Least impressions
outliers-only = Only outliers
clear = Clear
apply = Apply
columns-shown = Columns
rows-a-page = Rows a page
show-all = Show all
select-rows = Select
grid-band-percentile = Band
grid-p-below = P below median
odd = Odd
first = First
last = Last
page = Page
decide-by-hand = Decide by hand
decide-by-hand-note = What you decide holds for the lists, whatever the score says.
mark-allow = Allow
mark-block = Block
mark-protect = Protect
mark-none = As scored
mark-allowed = Allowed
mark-blocked = Blocked
mark-protected = Protected

## Why a row scores as it does
all-results = All results
open-page = Open as a page
close = Close
against-average = Against the average
average-is = Average of all rows: { $score }
percentile-note = Of 100 rows so many score less
score-between = Score by evidence
score-between-note = So it is with 90% probability, by the counts behind its rates and on their scale
below-median = Below the median
stays-in-band = With { $share } it stays in its band
waterfall = From the average to this score
waterfall-note = What each metric adds or costs
metric = Metric
value = Value
weight = Weight
points = Points
average-score = Average score
counterfactual = What would change its band
counterfactual-note = It would score { $score } and be
to = to
volume = Volume
fact-cpm = CPM
fact-clicks = Clicks
fact-ctr = CTR
fact-conversions = Conversions
fact-conversion-rate = Conversion rate
evidence = Evidence
evidence-needed = About { $count } impressions would decide it.
decision-allow = buy it
decision-block = block it
decision-watch = watch it
pattern-mfa = Pattern of a site made for advertising
pattern-click-surge = More clicks than people make
worth-a-look = Worth a look
flag-outlier = { $metric } lies far outside of what other rows have
flag-quality = The report has a value that cannot be: { $flag }

## What if
weights = Weights
weights-note = Move one, and the others make room. The sum stays 100%.
as-recipe = As the recipe
was = was
bands-changed = Change their band
enter-and-leave = Enter and leave
order-kept = Order kept
order-kept-note = Rank correlation; 1 is the same order
new-order = Rows in their new order
rank = Rank
moved = Moved
change = Change
up = up
down = down
stayed = stayed
list-unchanged = The same names as before.
enters = Enters
leaves = Leaves
save-weights = Keep these weights
recipe-name = Name of the recipe
recipe-name-hint = Letters, digits, - and _. Nothing is scored by it until you choose it.
save-as-recipe = Save as a recipe
recipe-saved = The recipe { $name } is saved.
score-with-it = Score again with it

## Lists as they would be
thresholds = Thresholds
list-share = Share of the rows on each list
list-policy = How rows get on them
draft-blocks = Would block
draft-allows = Would buy
draft-empty = No row gets on this list.
of-campaign = of the campaign
dsp-form = Upload form for
and-more = { $count ->
    [one] and one more
   *[other] and { $count } more
  }
by-hand = By hand
list-versions = Versions taken out
mark-allowed-hint = Always on the allowlist, never on the blocklist.
mark-blocked-hint = Always on the blocklist, never on the allowlist.
mark-protected-hint = Never on the blocklist, whatever its score.
names-to-add = Names, with commas between
add = Add
take-back = Take back

## What changed
compare-empty-title = Nothing to compare with yet
compare-empty-text = Score this campaign again, or score another one. Then you see here what changed, and why.
compare-with = Compare with
compare-runs = Earlier runs of this campaign
compare-campaigns = Other campaigns
compare-improved = Improved
compare-declined = Declined
compare-new = New
compare-gone = Gone
drivers = What moved the campaign score
drivers-note = Points; together they are the whole change
driver-volume = Impressions moved between rows
driver-new = New rows
driver-gone = Rows that are gone
metrics-changed = Metrics
before = Before
after = After
risers = Lifted it most
fallers = Cost it most
no-movers = No row did.
cause = Cause
cause-new = New
cause-gone = Gone
cause-volume = Volume
