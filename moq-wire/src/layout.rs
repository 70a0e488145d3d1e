//! The macro that writes a message's layout once and derives both directions from it.

/// Declares a message whose fields stand on the wire in the order written here.
///
/// - `field: Type where feature` is on the wire only in drafts with that feature, else it reads as
///   the type's default.
/// - `field: Type [then a zero byte where feature]` is followed by a byte without meaning in drafts
///   with that feature: written as 0, ignored when read.
/// - `check function;` after the struct names what a decoded message has to pass:
///   `fn(&Message) -> Result<(), DecodeError>`.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                pub $field:ident: $type:ty
                    $(where $feature:ident)?
                    $([then a zero byte where $padded:ident])?,
            )*
        }
        $(check $check:path;)?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[$field_meta])* pub $field: $type, )* }

        impl $crate::Encode for $name {
            fn encode(&self, buf: &mut bytes::BytesMut, version: $crate::Version) {
                $(
                    if true $(&& version.features().$feature)? {
                        $crate::Encode::encode(&self.$field, buf, version);
                    }
                    $( if version.features().$padded { $crate::Encode::encode(&0_u8, buf, version); } )?
                )*
            }
        }

        impl $crate::Decode for $name {
            fn decode(buf: &mut bytes::Bytes, version: $crate::Version) -> Result<Self, $crate::DecodeError> {
                $(
                    let $field = if true $(&& version.features().$feature)? {
                        <$type as $crate::Decode>::decode(buf, version)?
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
}

pub(crate) use message;
