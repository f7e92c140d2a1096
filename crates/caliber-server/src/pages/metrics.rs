//! What metrics are called and what they mean, for the help and beside figures.

use caliber_platform::analysis::capital;

use crate::texts;

/// A metric of the glossary: as recipes call it, and the keys of its name and of what it means.
pub(super) struct Metric {
    pub(super) word: &'static str,
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
}

macro_rules! metrics {
    ($($word:literal: $name:literal, $meaning:literal;)*) => {
        pub(super) const METRICS: &[Metric] =
            &[$(Metric { word: $word, name: $name, meaning: $meaning }),*];
    };
}

metrics! {
    "cpm": "metric-cpm", "metric-cpm-means";
    "ecpm": "metric-ecpm", "metric-ecpm-means";
    "ctr": "metric-ctr", "metric-ctr-means";
    "conversion_rate": "metric-conversion-rate", "metric-conversion-rate-means";
    "viewable_rate": "metric-viewable-rate", "metric-viewable-rate-means";
    "sampled_in_view_rate": "metric-sampled-in-view-rate", "metric-sampled-in-view-rate-means";
    "ias_display_fully_in_view_1s_rate": "metric-ias-display-fully-in-view-1s-rate", "metric-ias-display-fully-in-view-1s-rate-means";
    "completion_rate": "metric-completion-rate", "metric-completion-rate-means";
    "player_completion_rate": "metric-player-completion-rate", "metric-player-completion-rate-means";
    "player_errors_rate": "metric-player-errors-rate", "metric-player-errors-rate-means";
    "player_mute_rate": "metric-player-mute-rate", "metric-player-mute-rate-means";
    "ad_load_xl_rate": "metric-ad-load-xl-rate", "metric-ad-load-xl-rate-means";
    "ad_refresh_below_15s_rate": "metric-ad-refresh-below-15s-rate", "metric-ad-refresh-below-15s-rate-means";
    "tv_quality_index_rate": "metric-tv-quality-index-rate", "metric-tv-quality-index-rate-means";
    "unique_id_ratio": "metric-unique-id-ratio", "metric-unique-id-ratio-means";
}

/// A metric as people call it; one that the glossary does not have, in words.
pub(super) fn metric_label(word: &str) -> String {
    if let Some(metric) = METRICS.iter().find(|metric| metric.word == word) {
        return texts::text(metric.name);
    }
    in_words(word)
}

/// A name of the data as words: `viewable_rate` is Viewable rate.
pub(super) fn in_words(name: &str) -> String {
    capital(&name.replace('_', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_called_as_people_call_them() {
        assert_eq!(metric_label("ctr"), "CTR");
        assert_eq!(metric_label("our_own_index"), "Our own index");
        assert_eq!(metric_label(""), "");
    }
}
