//! The macro that writes a message's layout once and derives both directions from it.

/// Declares a message whose fields stand on the wire in the order written here.
///
/// - `field: Type where feature` is on the wire only in drafts with that feature, else it reads as
///   the type's default.
/// - `field: Type [then a zero byte where feature]` is followed by a byte without meaning in drafts
///   with that feature: written as 0, ignored when read.
/// - `field: Type [checked by function]` has to pass `fn(&Type) -> Result<(), DecodeError>`.
/// - `check function;` after the struct names what the whole has to pass:
///   `fn(&Message) -> Result<(), DecodeError>`.
///
/// Checks hold in both directions: what a decoder refuses is not written.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                pub $field:ident: $type:ty
                    $(where $feature:ident)?
                    $([then a zero byte where $padded:ident])?
                    $([checked by $field_check:path])?,
            )*
        }
        $(check $check:path;)?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[$field_meta])* pub $field: $type, )* }

        impl $crate::Encode for $name {
            fn encode(
                &self,
                buf: &mut bytes::BytesMut,
                version: $crate::Version,
            ) -> Result<(), $crate::EncodeError> {
                $( $check(self)?; )?
                $(
                    if true $(&& version.features().$feature)? {
                        $( $field_check(&self.$field)?; )?
                        $crate::Encode::encode(&self.$field, buf, version)?;
                    }
                    $( if version.features().$padded { $crate::Encode::encode(&0_u8, buf, version)?; } )?
                )*
                Ok(())
            }
        }

        impl $crate::Decode for $name {
            fn decode(buf: &mut bytes::Bytes, version: $crate::Version) -> Result<Self, $crate::DecodeError> {
                $(
                    let $field = if true $(&& version.features().$feature)? {
                        message!(@take $type, buf, version $(, $field_check)?)
                    } else {
                        <$type>::default()
                    };
                    $( if version.features().$padded { <u8 as $crate::Decode>::decode(buf, version)?; } )?
                )*
                let message = Self { $($field),* };
                $( $check(&message)?; )?
                Ok(message)
            }
        }
    };
    (@take $type:ty, $buf:ident, $version:ident) => {
        <$type as $crate::Decode>::decode($buf, $version)?
    };
    (@take $type:ty, $buf:ident, $version:ident, $field_check:path) => {
        $crate::codec::decode_checked($buf, $version, |field: &$type| $field_check(field))?
    };
}

pub(crate) use message;
