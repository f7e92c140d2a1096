//! What readers ask, and how often.

/// The kinds of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    First,
    Sorted,
    Filtered,
    Searched,
}

impl Kind {
    /// Each kind with its share in percent.
    pub(crate) const ALL: [(Self, u64); 4] =
        [(Self::First, 60), (Self::Sorted, 20), (Self::Filtered, 15), (Self::Searched, 5)];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "first page",
            Self::Sorted => "other sorts",
            Self::Filtered => "filters",
            Self::Searched => "search",
        }
    }
}

pub(crate) const FIRST_PAGE: &str = "?page=1&per_page=50";

const COLUMNS: [&str; 7] =
    ["impressions", "spend", "cpm", "ctr", "conversion_rate", "percentile_rank", "domain"];
const DIRECTIONS: [&str; 2] = ["asc", "desc"];
const STATUSES: [&str; 3] = ["good", "moderate", "poor"];

/// Questions by number: the same seed asks the same, whoever comes first.
pub(crate) struct Mix {
    seed: u64,
    /// Names of the first page, to search for parts of them.
    names: Vec<String>,
}

impl Mix {
    pub(crate) fn new(seed: u64, names: Vec<String>) -> Self {
        Self { seed, names }
    }

    /// One question of each column, filter and kind.
    pub(crate) fn one_of_each(&self) -> Vec<String> {
        let sorted = COLUMNS.iter().flat_map(|column| {
            DIRECTIONS.map(|direction| format!("{FIRST_PAGE}&sort_by={column}&sort_direction={direction}"))
        });
        let mut chance = self.chance(u64::MAX);
        let filtered = (0..4).map(|filter| filtered(filter, 1, &mut chance)).collect::<Vec<_>>();
        sorted.chain(filtered).chain([self.searched(&mut chance)]).collect()
    }

    /// The question of a number, and its kind.
    pub(crate) fn question(&self, number: u64) -> (Kind, String) {
        let mut chance = self.chance(number);
        let mut percent = chance.below(100);
        for (kind, share) in Kind::ALL {
            if percent < share {
                return (kind, self.question_of(kind, &mut chance));
            }
            percent -= share;
        }
        (Kind::First, FIRST_PAGE.to_owned())
    }

    fn question_of(&self, kind: Kind, chance: &mut Chance) -> String {
        match kind {
            Kind::First => FIRST_PAGE.to_owned(),
            Kind::Sorted => {
                let (column, direction) = (chance.of(&COLUMNS), chance.of(&DIRECTIONS));
                let page = 1 + chance.below(3);
                format!("?page={page}&per_page=50&sort_by={column}&sort_direction={direction}")
            }
            Kind::Filtered => filtered(chance.below(4), 1 + chance.below(3), chance),
            Kind::Searched => self.searched(chance),
        }
    }

    /// Three to six letters of a name that is there.
    fn searched(&self, chance: &mut Chance) -> String {
        let part: String = match chance.below(self.names.len().max(1) as u64) as usize {
            at if at < self.names.len() => {
                let letters: Vec<char> = self.names[at].chars().filter(char::is_ascii_alphanumeric).collect();
                let from = chance.below(letters.len().saturating_sub(5).max(1) as u64) as usize;
                letters.into_iter().skip(from).take(3 + chance.below(4) as usize).collect()
            }
            _ => "news".to_owned(),
        };
        format!("{FIRST_PAGE}&search={part}")
    }

    fn chance(&self, number: u64) -> Chance {
        Chance(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }
}

fn filtered(filter: u64, page: u64, chance: &mut Chance) -> String {
    let filter = match filter {
        0 => format!("quality_status={}", chance.of(&STATUSES)),
        1 => format!("min_score={}&max_score={}", chance.below(50), 50 + chance.below(50)),
        2 => format!("min_impressions={}", 250 + chance.below(5000)),
        _ => "outliers_only=true&sort_by=impressions".to_owned(),
    };
    format!("?page={page}&per_page=50&{filter}")
}

/// Numbers that look random (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }

    fn of<'w>(&mut self, words: &[&'w str]) -> &'w str {
        words[self.below(words.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_come_as_often_as_they_should() {
        let mix = Mix::new(3, vec!["example.com".into()]);
        let mut counts = [0_u32; 4];
        for number in 0..20_000 {
            let kind = mix.question(number).0;
            counts[Kind::ALL.iter().position(|(other, _)| *other == kind).unwrap()] += 1;
        }
        for ((kind, share), count) in Kind::ALL.iter().zip(counts) {
            let percent = f64::from(count) / 200.0;
            assert!((percent - *share as f64).abs() < 1.0, "{}: {percent} %", kind.name());
        }
    }

    #[test]
    fn a_number_asks_the_same_each_time_and_searches_parts_of_names() {
        let mix = Mix::new(3, vec!["example.com".into()]);
        for number in 0..1000 {
            assert_eq!(mix.question(number), mix.question(number));
            if let (Kind::Searched, question) = mix.question(number) {
                let part = question.rsplit('=').next().unwrap();
                assert!((3..=6).contains(&part.len()) && "examplecom".contains(part), "{question}");
            }
        }
    }
}
