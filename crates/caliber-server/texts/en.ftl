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
nav-exports = Exports
nav-recipes = Recipes
nav-jobs = Jobs
nav-organisation = Team
nav-people = People
nav-service = Settings
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
reset = Reset
expired = Expired
none-yet = None yet

## Roles
role-viewer = Viewer
role-analyst = Analyst
role-manager = Manager
role-admin = Administrator
role-client = Client
role-expert = Expert
role-viewer-means = Sees and downloads everything, changes nothing.
role-analyst-means = Also makes campaigns, reports, recipes and templates, and changes their own.
role-manager-means = Also changes what others made, and invites people.
role-admin-means = Manages the whole service: everybody's roles, its settings and its jobs.
role-desk-means = Sees nothing but their own profile for now.

## Done
notice-saved = Saved.
notice-deleted = Deleted.
notice-password-changed = Your password is changed. All other sessions have ended.
notice-registered = Welcome to Caliber. Your account is ready.
notice-signed-out = You are signed out.
notice-cancelled = Scoring was cancelled.
notice-started = Scoring has started.
notice-joined = You have joined the organisation, and your campaigns came along.
notice-withdrawn = The invitation is revoked.
notice-asked = The file is being prepared. It can be downloaded here as soon as it is ready.

## Signing in
sign-in = Sign in
sign-in-title = Sign in
sign-in-first = Sign in to go on to the page you asked for.
forgot-password = Forgot your password? Ask an administrator for a new link.
sign-out = Sign out
no-account = No account yet?
have-account = Have an account?
register = Create an account
register-title = Create your account
register-lead = You get an organisation of your own. Invite others later, or join theirs by an invitation.
register-submit = Create account
password-hint = A few unusual words in a row are hard to guess and easy to remember.

set-password-title = Set your password
set-password-lead = Choose a password for { $email }. This link works once.
set-password-submit = Set password
password-is-set = Your password is set
password-is-set-text = Sign in with it now.

## Profile
profile = Profile
profile-you = You
member-since = Member since
change-password = Change password
current-password = Current password
new-password = New password
other-sessions-end = This signs you out on all other devices.
development-sign-in = This is the development sign-in of this machine. It has no password; a registered account has one.

## Errors
error-home = To the dashboard
error-back = Back to where you were
error-nothing-at = There is nothing at { $path }. It may have been deleted, or the address has a typing mistake.
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
at-risk = Spend to block
scored-names = Scored
sites-scored = Sites
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
goal-either = Any goal

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
figure-at-risk = Spend to block
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
attention-cancelled = Scoring was cancelled
attention-ready = Has a report and is ready to score
attention-no-report = Has no report yet
attention-at-risk = Much of the spend is on sites to block

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
review-lacking = No column was found for what every score needs. Choose below which column stands for it.
usually-called = usually called
review-to-columns = To the columns
column-like-sites = This looks like sites or apps: choose Domain.
columns-to-look-at = { $count ->
    [one] One column needs a look
   *[other] { $count } columns need a look
}
settings-stay = The settings of a scored campaign stay as they are. To score it differently, choose another recipe.
report-for = Report for { $name }
review-settings = Recognised as
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
recipe-by-settings = Recommended
recipe-hint = What the score is made of. Choose another by its name, shipped or your own.
recipes-own = Your recipes
recipes-shipped = Shipped
sheet = Sheet
sheet-hint = The workbook has several sheets. The one that looks most like a report is taken unless you choose.
rows = Rows
read-as = Format
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
scale-of = Scale of “{ $header }”
scale-as-recognised = As recognised
scale-recognised-percent = As recognised: percent (0–100)
scale-recognised-fraction = As recognised: fraction (0–1)
scale-percent = Percent (0–100)
scale-fraction = Fraction (0–1)
scale-guessed-percent = Read as percent: 50 is 50%. Nothing in the file tells for sure; choose the scale if it is another.
scale-guessed-fraction = Read as a fraction: 0.5 is 50%. Nothing in the file tells for sure; choose the scale if it is another.
more-of-file = More about the file
only-rows = Only rows where
only-rows-column = Column of a filter
only-rows-value = Value of a filter
only-rows-hint = “*” stands for anything, as in “Spring*”. A row must have all of it; a column is asked once.
only-rows-open = A filter of rows lacks its column or its value. Fill it in, or empty it.
any-column = Any column
is = is
no-header = The file has no header row: its first row is data
one-currency = Money in several currencies cannot be added up. Take the rows of one:
only-currency = Only { $currency }
may-lack-header = If its first row is data already, read it without one. You then say what each column is.
read-without-header = Read without a header row

## Lists of things
of = of
pages = Pages
previous = Previous
next = Next
search = Search
delete = Delete
cancel = Cancel
nothing-found = Nothing found
nothing-found-text = Nothing fits all the filters. Change or clear them.
nothing-matches = Nothing matches “{ $search }”. Check the spelling, or clear the filters.
clear-filters = Clear filters
search-campaigns = Search campaigns
every-status = Every status
status-pending = Not scored yet
campaigns-empty-title = No campaigns yet
campaigns-empty-text = A campaign is a report and what was found in it. Drop a report to make the first.

## A campaign
cancelled-text = Nothing was kept of it. The report is still here; score it when you like.
scoring-now = Scoring
may-leave = You can leave this page; scoring goes on.
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
campaign-no-report-text = This campaign was made without a report. Upload one to score it.
campaign-score = Campaign score
campaign-score-note = Mean of the scores, by impressions
impressions-column = Impressions
results = Results
search-names = Search sites and apps
band = Band
percentile = Percentile
band-good = Good
band-moderate = Moderate
band-poor = Poor

## Files
files-lead = Reports as they were uploaded. One in a campaign stays as long as the campaign; one without is removed after 30 days.
files-empty-title = No reports yet
files-empty-text = Drop a report on any page, or choose one.
file = File
kind = Kind
size = Size
actions = Actions
uploaded-at = Uploaded
file-uploaded = Not scored yet
file-assigned = In a campaign
file-validated = Can be scored
file-rejected = Cannot be read yet
file-removed-on = Removed on
check-and-score-new = Check and score
delete-file-question = Delete { $name }?
delete-file-question-used = Delete { $name }? { $campaign } keeps its results but cannot be scored again.
delete-named = Delete { $name }

## Jobs
jobs-lead = Work that runs in the background. What failed for good stays here with its reason.
look-again = Refresh
queues = Queues
queues-note = Of the whole service
queue = Queue
dead-letters = Failed for good
waiting-since = Oldest waiting since
job = Job
job-queued = Queued
job-scheduled = Scheduled
job-running = Running
job-completed = Completed
job-failed = Failed
job-cancelled = Cancelled
job-kind-score = Scoring
job-kind-export = Export
job-failures = Failed { $failed } of { $most } attempts
jobs-empty-title = No jobs yet
jobs-empty-text = Scoring and exports show up here while they run.
jobs-none-found = No job has this status
jobs-show-all = Show all jobs
took = Took
show = Show

## Settings of the service
settings-lead = How the service is set up and whether its parts answer. Only administrators see this.
settings-development = This service runs in development: for trying it out, not for clients. Set CALIBER_ENVIRONMENT=production before others use it.
parts = Parts
part = Part
part-kind = Kind
part-database = Database
part-storage = File storage
part-queue = Job queue
part-cache = Results in memory
part-healthy = Healthy
part-unhealthy = Not answering
answered-in = Answered in
settings-note = They are changed by flags, the environment, .env or caliber.toml, and hold from the next start.
settings-set = Settings that were changed
settings-as-shipped = Settings as shipped
setting = Setting
setting-value = Value
setting-source = Set by
setting-default = As shipped
setting-flag = Flag
setting-environment = Environment
setting-none = Not set

## Organisation
organisation-title = Organisation
organisation-lead = How reports for clients look, and which names are never blocked.
organisation-read-only = A manager changes these.
organisation-looks = Name and colours
colour-primary = Main colour
colour-accent = Accent
colours-hint = As they stand in reports for clients.
logo = Logo
logo-note = It stands at the head of the report for clients.
logo-of = Logo of { $name }
logo-none = No logo yet
logo-file = Picture
logo-hint = PNG, JPEG or SVG, up to 512 KB.
logo-upload = Use this logo
logo-remove = Remove the logo
logo-remove-question = Remove the logo? Reports are made without one from then on.
protected-names = Protected names
protected-label = One name per line
protected-hint = Your own sites, partners, private deals. They are never put on a blocklist, from the next run or list version on.

## People
people-lead = Everybody here sees all campaigns. Analysts can change those they made, managers can change all.
last-seen = Last signed in
roles-title = What each role may do
roles-by-administrator = Roles of members are changed by an administrator.
you = You
role-of = Role of { $name }
delete-person-question = Delete the account of { $name }? What they made goes to another manager.
invitations = Invitations
invite = Create invitation link
invite-email = E-mail (optional)
invite-hint = With an address only that account can use the link. The link works once, for seven days; Caliber does not send it.
invitation-made = The link, shown only now:
copy = Copy
for-whom = For
whoever-has-the-link = Whoever has the link
accepted = Accepted
invitation-open = Open
good-until = Good until
withdraw = Revoke
join-title = Join { $organisation }
join-invited-by = { $inviter } invited you as { $role }.
join-invited = You are invited as { $role }.
join-campaigns = { $count ->
    [one] Your campaign moves with you, and the members there will see it.
   *[other] Your { $count } campaigns move with you, and the members there will see them.
  }
join-as = You are signed in as { $email }.
not-now = Not now

## Recipes and templates
recipes-lead = A recipe says what a score is made of. Shipped ones stay as they are; save one as yours to weigh otherwise.
recipe = Recipe
for-what = For
weights = Weights
weights-note = They sum to 100%: what one takes, the others give.
recipe-ctr-sensitive = clicks weigh more
least-impressions = Minimum impressions
least-impressions-note = Names with fewer impressions are not scored.
higher-is-better = higher is better
lower-is-better = lower is better
about-recipe = About
recipes-own-empty = Open a shipped recipe, move its weights, and save it as yours.
copy-name = Name of the copy
save-copy = Save as my recipe
save-as-copy = Save as a copy
delete-recipe-question = Delete this recipe? Results that were scored by it stay.
templates = Templates
templates-note = Settings to choose when you check a report.
templates-empty = Keep the settings of a campaign as a template when you check its report; then choose it there for the next ones.
delete-template-question = Delete this template?

## Lists
lists-lead = Allowlists and blocklists of your scored campaigns. Every saved version is kept.
lists-empty-title = No lists yet
lists-empty-text = Score a campaign, then save its allowlist and blocklist here.
lists-of = Lists of { $name }
list = List
allowlist = Allowlist
blocklist = Blocklist
take-out = Save a list version
save-version = Save version
take-out-note = If it equals the last one, no new version is made.
take-out-and-history = Versions
rule = Rule
policy-hint = By score: the worst or the best share of the names. By evidence: of these only what the counts prove.
rule-worst = Worst { $share }% by score
rule-best = Best { $share }% by score
rule-worst-proven = Worst { $share }%, proven by counts
rule-best-proven = Best { $share }%, proven by counts
share-percent = Share
list-expires = Expires
list-expires-optional = Expires (optional)
list-expires-hint = A version expires when that day ends in UTC.
versions = Versions
version = Version
version-allowlist = Version { $number }, allowlist
version-blocklist = Version { $number }, blocklist
try-rules = Try out rules
versions-note = Both lists of a campaign share one numbering.
names-count = { $number ->
    [one] 1 name
   *[other] { $count } names
  }
first-version = First version
first-version-text = This is the first version of this list.
none-added = None added
none-removed = None removed
show-all-names = Show all { $count }
kept-off = Kept off the list
kept-off-text = Protected names that would have been blocked.
copy-names = Copy names
versions-empty = No version yet. Choose above what is to be on the list.
names = Names
added = Added
removed = Removed
download-txt = Download .txt
first-names = The first { $count } are shown; the download has all.
since-before = Since the version before

## Exports
exports-lead = Results, lists and reports as files. Each can be downloaded for 24 hours.
exports-empty-title = No exports yet
exports-empty-text = Choose a campaign and a file above. It can be downloaded here for a day.
exports-empty-unscored = Score a campaign first; then its results and reports can be exported.
export-begin = Prepare a file
export-begin-note = It is made in the background. You can leave this page.
export-what = File
export-start = Prepare
export-asked = Requested
export-removed = Available until
export-processing = Being prepared
export-completed = Ready
export-other = Another file
export-upload-allow = Allowlist as upload
export-upload-block = Blocklist as upload
names-left-out = { $count ->
    [one] 1 name left out
   *[other] { $count } names left out
  }
download-later = In the background
download-background = Prepare a file

## Help
help-concepts = How to read the figures
help-start-title = How to start
help-start = Drop a report on any page, check what was understood of it, and score it. Then take the lists or a report for the client away.
help-score = Every site or supply vendor gets 0 to 100: each metric is brought to one scale within the campaign, turned so that more is better, and weighted by the recipe. It compares the names of one campaign with each other.
help-campaign-score = The mean of the scores, weighted by impressions: how good the inventory is that the money went to.
help-band = Good is the best quarter of the names, poor the worst quarter, moderate what lies between.
help-percentile = The share of the names of the campaign that score no better.
help-lists-title = Allowlist and blocklist
help-lists = The best names to buy and the worst to leave out. A version that you save keeps its names as they were, whatever is scored later.
help-at-risk = What was spent on the names that would be blocked.
help-evidence-title = By evidence
help-evidence = A name with few impressions can be good or bad by chance. By evidence only those names are listed whose counts prove that they are better or worse than the campaign's median; the others are watched.
help-protected-title = Protected names
help-protected = Names that are never blocked: for one campaign on its Lists, for the whole organisation here:
help-recipe = Which metrics make the score, how much each weighs, and whether more of it is better. One that ships is chosen by platform, channel and goal; your own by their names.
help-least-impressions = Names with fewer impressions are not scored: their rates are chance.
help-template = Platform, channel, goal and what is scored, kept under a name to be chosen for the next report.
help-roles-title = Roles
help-roles = Viewers see and download. Analysts also make campaigns and change their own. Managers change everything and invite people.
help-api-title = API
help-api = Everything here can be done by programs; see the
help-api-reference = API reference
help-glossary = Glossary of metrics
metric-cpm = CPM
metric-cpm-means = What a thousand impressions cost. Lower is better at equal quality.
metric-ecpm = eCPM
metric-ecpm-means = The effective cost of a thousand impressions, all costs counted.
metric-ctr = CTR
metric-ctr-means = Clicks for each impression. Very high rates are suspicious on display.
metric-conversion-rate = Conversion rate
metric-conversion-rate-means = Conversions for each impression or click, as the report counts them.
metric-viewable-rate = Viewable
metric-viewable-rate-means = The share of measured impressions that could be seen: half the ad for a second, for video two.
metric-sampled-in-view-rate = In view (sampled)
metric-sampled-in-view-rate-means = The share in view, measured on a sample of the impressions.
metric-ias-display-fully-in-view-1s-rate = In view (IAS, 1 s)
metric-ias-display-fully-in-view-1s-rate-means = The share of display impressions whose whole area was in view for a second, measured by IAS.
metric-completion-rate = Completion rate
metric-completion-rate-means = The share of video or audio starts that played to their end.
metric-player-completion-rate = Player completion rate
metric-player-completion-rate-means = Completions as the player reports them.
metric-player-errors-rate = Player errors
metric-player-errors-rate-means = The share of starts that ended in an error of the player.
metric-player-mute-rate = Player muted
metric-player-mute-rate-means = The share of starts that played without sound.
metric-ad-load-xl-rate = Excessive ad load
metric-ad-load-xl-rate-means = The share of impressions on pages that are crowded with ads.
metric-ad-refresh-below-15s-rate = Ad refresh under 15 s
metric-ad-refresh-below-15s-rate-means = The share of impressions on slots that reload their ad in less than 15 seconds.
metric-tv-quality-index-rate = TV quality index
metric-tv-quality-index-rate-means = The Trade Desk's index of how good a CTV placement is.
metric-unique-id-ratio = Unique IDs per impression
metric-unique-id-ratio-means = Different people for each impression: low where few see the ad again and again.
## Results of a campaign
campaign-pages = Pages of the campaign
what-if = What if
compare = Compare
score-again = Score again
results-treated = Outliers treated
results-of-before = Until it is done, the results of the run before are shown.
rescore-cancelled = Scoring again was cancelled. These are still the results of the run before.
rescore-failed = Scoring again failed. These are the results of the run before.
rows-sites = Sites and apps
rows-vendors = Supply vendors
row-site = Site or app
row-vendor = Supply vendor
download = Download
download-report = Reports
download-pdf = Client report
download-workbook = Workbook
download-summary = Summary
download-rows = All that was scored
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
figure-lists = To block
figure-allowed = { $count } to buy
figure-by-hand = { $count ->
    [one] Your decision by hand is not counted here.
   *[other] Your { $count } decisions by hand are not counted here.
}
figure-review-lists = Review the lists
figure-bands = Bands
by-score = By score
policy-quartile-note = The worst and the best share
by-evidence = By evidence
policy-evidence-note = Of these only what the numbers prove
charts = Charts
charts-failed = The charts could not be loaded. The tables below them hold the same figures.
chart-histogram = Scores
chart-histogram-note = Click a bar to filter the table
chart-histogram-alt = Histogram of the scores, by band; the table below holds its figures
chart-bubbles = Score against spend
chart-bubbles-impressions = Score against impressions
chart-bubbles-all = Size by impressions; click a bubble to find and explain it
chart-bubbles-some = The { $count } with the most spend; click one to find and explain it
chart-bubbles-alt = Sites and apps by score and spend, sized by impressions; the table below has the largest
chart-contributions = What sets good and poor apart
chart-contributions-note = Points against the average; click a figure to filter the table
chart-sort-by = Sort by { $metric }
chart-as-table = As a table

## The grid of results
every-band = Every band
filters = Filters
min-score = Score from
max-score = Score to
min-impressions = Minimum impressions
outliers-only = Only outliers
clear = Clear
apply = Apply
columns-shown = Columns
rows-a-page = Rows per page
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
average-is = Average of all: { $score }
percentile-note = 100 is the best, 0 the worst
score-between = Score by evidence
score-between-note = Scored by what its counts prove, with 90% probability: rates of few impressions count less, so this is a scale of its own and not that of the score above.
certainty = How sure it is
below-median = Chance that it is below the median
how-sure = Certainty
how-sure-note = that it is { $band }, given its volume
waterfall = From the average to this score
waterfall-note = What each metric adds or costs. In percentiles 100 is best.
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
as-recipe = As the recipe
was = was
bands-changed = Change their band
bands-changed-note = The others stay in it
was-on-other-scale = By the recipe { $score }: other weights are another scale
enter-and-leave = Enter and leave
new-order = The new order
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
recipe-name-hint = Letters, digits, - _ and ., no spaces. Choose it by this name when you score.
save-as-recipe = Save as a recipe
recipe-saved = The recipe { $name } is saved.
score-with-it = Score again with it

## Lists as they would be
thresholds = Rules
list-share = Share on each list
list-policy = What gets on a list
draft-blocks = Would block
draft-allows = Would buy
draft-since = Compared with version { $number }
draft-added = added
draft-removed = removed
draft-csv = With reasons (CSV)
draft-first = No version is saved yet; this would be the first.
draft-protected = { $count ->
    [one] 1 protected name is kept off
   *[other] { $count } protected names are kept off
  }
draft-empty = Nothing gets on this list by these rules.
of-campaign = of the campaign
dsp-form = Upload file for
forms-hold = What each form holds
form = Form
holds = Holds
left-out = Left out
form-no-vendors = takes sites and apps only
form-limit = { $most } names a file
form-longest = { $most } characters a name
form-levels = { $most } levels of subdomains
form-splits = sites and apps in files of their own
form-sites-only = domains and app ids
form-anything = any names
and-more = { $count ->
    [one] and one more
   *[other] and { $count } more
  }
by-hand = By hand
list-versions = Saved versions
mark-allowed-hint = Always on the allowlist, never on the blocklist.
mark-blocked-hint = Always on the blocklist, never on the allowlist.
mark-protected-hint = Never on the blocklist, whatever its score.
names-to-add = Names, with commas between
add = Add
take-back = Take back

## What changed
compare-empty-title = Nothing to compare with yet
compare-unlike = Not all of the change is in the data
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
driver-new = New names
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
