//! Codecs that are known.

/// A codec, without its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// H.264, also called AVC.
    H264,
    /// H.265, also called HEVC.
    H265,
    /// AV1.
    Av1,
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// AAC in any of its profiles.
    Aac,
    /// Opus.
    Opus,
    /// FLAC.
    Flac,
    /// MP3.
    Mp3,
}

impl Family {
    /// The codec of a WebCodecs string.
    #[must_use]
    pub fn of(codec: &str) -> Option<Self> {
        let name = codec.split('.').next().unwrap_or_default();
        Some(match name {
            "avc1" | "avc3" => Self::H264,
            "hvc1" | "hev1" => Self::H265,
            "av01" => Self::Av1,
            "vp8" | "vp08" => Self::Vp8,
            "vp09" => Self::Vp9,
            "mp4a" if matches!(codec, "mp4a.6B" | "mp4a.6b" | "mp4a.69") => Self::Mp3,
            "mp4a" => Self::Aac,
            "opus" | "Opus" => Self::Opus,
            "flac" | "fLaC" => Self::Flac,
            "mp3" => Self::Mp3,
            _ => return None,
        })
    }

    /// Whether frames of a stream in the `legacy` container are NAL units with start codes when
    /// there is no description.
    #[must_use]
    pub fn has_nal_units(self) -> bool {
        matches!(self, Self::H264 | Self::H265)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_name_their_codec() {
        assert_eq!(Family::of("avc3.42c01e"), Some(Family::H264));
        assert_eq!(Family::of("mp4a.40.2"), Some(Family::Aac));
        assert_eq!(Family::of("mp4a.6B"), Some(Family::Mp3));
        assert_eq!(Family::of("avc10"), None);
        assert_eq!(Family::of(""), None);
    }
}
