//! What sites there are in a world, and how their classes differ.
//!
//! Figures follow public ones: CTR 0.06-0.09 % a campaign, viewability 54-70 %; made-for-advertising a
//! quarter cheaper, as viewable or more, under more and faster refreshed ads, converting less; fraud clicks
//! and never converts. The classes overlap: each site draws its own rates around those of its class.

use std::str::FromStr;

use crate::SampleError;
use crate::layout::Rate;

/// The planted truth about a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A publisher people visit on purpose.
    Premium,
    /// Everything in between.
    Normal,
    /// Pages made to carry ads.
    MadeForAdvertising,
    /// Machines that click.
    Fraud,
}

impl Class {
    /// All of them, in the order that shares and factors have.
    pub(crate) const ALL: [Self; 4] = [Self::Premium, Self::Normal, Self::MadeForAdvertising, Self::Fraud];

    /// The word of the truth file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Premium => "premium",
            Self::Normal => "normal",
            Self::MadeForAdvertising => "made_for_advertising",
            Self::Fraud => "fraud",
        }
    }
}

/// Which world a sample shows: how much there is to find in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorldKind {
    /// Classes that stand apart, one site in six made for advertising.
    #[default]
    Own,
    /// Classes that overlap widely, and as few sites made for advertising as a campaign of 2025 buys: 4 %
    /// (ANA, Programmatic Transparency Benchmark; it was 21 % of impressions in 2023).
    Overlapping,
    /// Every site has the same true rates and draws its prices from the same law: nothing to find.
    Identical,
}

impl WorldKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::Overlapping, Self::Identical];

    /// The word on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Overlapping => "overlapping",
            Self::Identical => "identical",
        }
    }

    /// The share of sites of each class; they sum to 1.
    pub(crate) fn shares(self) -> [f64; 4] {
        match self {
            Self::Own => [0.22, 0.56, 0.17, 0.05],
            Self::Overlapping => [0.25, 0.68, 0.04, 0.03],
            Self::Identical => [0.0, 1.0, 0.0, 0.0],
        }
    }

    /// The CTR of the whole campaign.
    pub(crate) fn campaign_ctr(self) -> f64 {
        match self {
            Self::Own | Self::Identical => 0.000_74,
            Self::Overlapping => 0.000_86,
        }
    }

    pub(crate) fn law(self, rate: Rate) -> Law {
        match self {
            Self::Own => apart(rate),
            Self::Overlapping => overlapping(rate),
            Self::Identical => Law { factors: [1.0; 4], spread: Spread::None },
        }
    }
}

impl FromStr for WorldKind {
    type Err = SampleError;

    fn from_str(word: &str) -> Result<Self, SampleError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == word.trim().to_lowercase());
        found.ok_or_else(|| SampleError::UnknownWorld {
            word: word.into(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// How the classes move a rate away from that of a normal site, and how much sites of one class differ.
pub(crate) struct Law {
    /// Factors of [`Class::ALL`]: on the rate, or on its odds.
    pub(crate) factors: [f64; 4],
    pub(crate) spread: Spread,
}

pub(crate) enum Spread {
    /// All alike.
    None,
    /// A rate far below 1 or an amount: log-normal around the class, with this sigma.
    LogNormal(f64),
    /// A share: Beta with this size (alpha + beta) around the class; the factors are on its odds.
    Beta(f64),
}

fn apart(rate: Rate) -> Law {
    use Spread::{Beta, LogNormal};
    let (factors, spread) = match rate {
        Rate::Cpm => ([1.35, 1.0, 0.75, 0.70], LogNormal(0.25)),
        Rate::Ctr => ([1.15, 1.0, 0.85, 7.0], LogNormal(0.45)),
        Rate::Viewability => ([1.25, 1.0, 1.30, 0.80], Beta(25.0)),
        Rate::AdLoad => ([0.45, 1.0, 2.8, 1.8], Beta(10.0)),
        Rate::AdRefresh => ([0.40, 1.0, 3.2, 2.2], Beta(10.0)),
        Rate::Conversion => ([1.5, 1.0, 0.35, 0.0], LogNormal(0.5)),
        Rate::Completion => ([1.6, 1.0, 1.30, 0.35], Beta(20.0)),
        Rate::Error => ([0.6, 1.0, 1.3, 3.0], LogNormal(0.4)),
        Rate::Mute => ([0.6, 1.0, 2.2, 2.5], Beta(12.0)),
        Rate::TvQuality => ([2.0, 1.0, 0.45, 0.25], Beta(20.0)),
        Rate::UniqueRatio => ([1.3, 1.0, 0.45, 0.20], Beta(20.0)),
    };
    Law { factors, spread }
}

/// About half the distance between classes, in logarithms, and more within them. Made-for-advertising stays a
/// quarter cheaper and more viewable: that is how it sells.
fn overlapping(rate: Rate) -> Law {
    use Spread::{Beta, LogNormal};
    let (factors, spread) = match rate {
        Rate::Cpm => ([1.20, 1.0, 0.75, 0.80], LogNormal(0.30)),
        Rate::Ctr => ([1.10, 1.0, 0.90, 3.0], LogNormal(0.55)),
        Rate::Viewability => ([1.15, 1.0, 1.25, 0.90], Beta(18.0)),
        Rate::AdLoad => ([0.70, 1.0, 1.9, 1.4], Beta(8.0)),
        Rate::AdRefresh => ([0.65, 1.0, 2.1, 1.5], Beta(8.0)),
        Rate::Conversion => ([1.3, 1.0, 0.5, 0.0], LogNormal(0.6)),
        Rate::Completion => ([1.3, 1.0, 1.25, 0.6], Beta(15.0)),
        Rate::Error => ([0.8, 1.0, 1.15, 1.8], LogNormal(0.5)),
        Rate::Mute => ([0.8, 1.0, 1.5, 1.6], Beta(9.0)),
        Rate::TvQuality => ([1.4, 1.0, 0.65, 0.5], Beta(15.0)),
        Rate::UniqueRatio => ([1.15, 1.0, 0.65, 0.45], Beta(15.0)),
    };
    Law { factors, spread }
}
