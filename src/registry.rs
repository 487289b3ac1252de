//! One line makes a thing known: to the experiment file, to the listing, to the tests.

/// Declares a family of methods: the enum of the experiment file, its dispatch and its catalogue.
///
/// Items with settings are written `Name(module::Name)`, items without `Name => module::Name`. In RON the first reads
/// `Name(setting: value)`, the second `Name`.
///
/// ```text
/// registry! {
///     /// How children differ from their parents.
///     pub enum Mutation: dyn Mutate {
///         Gaussian(gaussian::Gaussian),
///         SignFlip => sign_flip::SignFlip,
///     }
/// }
/// ```
/// The enum dereferences to the trait object; `Mutation::CATALOGUE` lists the names in order.
#[macro_export]
macro_rules! registry {
    ($(#[$doc:meta])* pub enum $family:ident: $object:ty { $($body:tt)* }) => {
        $crate::registry!(@parse [$(#[$doc])*] $family, $object, [], [] $($body)*);
    };
    (@parse [$($doc:tt)*] $family:ident, $object:ty, [$($full:tt)*], [$($bare:tt)*]) => {
        $crate::registry!(@emit [$($doc)*] $family, $object, [$($full)*], [$($bare)*]);
    };
    (@parse [$($doc:tt)*] $family:ident, $object:ty, [$($full:tt)*], [$($bare:tt)*] $name:ident($settings:ty), $($rest:tt)*) => {
        $crate::registry!(@parse [$($doc)*] $family, $object, [$($full)* ($name, $settings)], [$($bare)*] $($rest)*);
    };
    (@parse [$($doc:tt)*] $family:ident, $object:ty, [$($full:tt)*], [$($bare:tt)*] $name:ident => $unit:path, $($rest:tt)*) => {
        $crate::registry!(@parse [$($doc)*] $family, $object, [$($full)*], [$($bare)* ($name, $unit)] $($rest)*);
    };
    (@emit [$($doc:tt)*] $family:ident, $object:ty, [$(($name:ident, $settings:ty))*], [$(($plain:ident, $unit:path))*]) => {
        $($doc)*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[non_exhaustive]
        pub enum $family {
            $(#[allow(missing_docs)] $name($settings),)*
            $(#[allow(missing_docs)] $plain,)*
        }

        impl $family {
            /// Every member's name, as the experiment file writes it.
            pub const CATALOGUE: &'static [&'static str] = &[$(stringify!($name),)* $(stringify!($plain),)*];

            /// This member's name, as the experiment file writes it.
            pub fn name(&self) -> &'static str {
                match self { $($family::$name(_) => stringify!($name),)* $($family::$plain => stringify!($plain),)* }
            }
        }

        $(impl From<$settings> for $family {
            fn from(settings: $settings) -> Self { $family::$name(settings) }
        })*

        impl std::ops::Deref for $family {
            type Target = $object;
            fn deref(&self) -> &Self::Target {
                match self { $($family::$name(settings) => settings,)* $($family::$plain => &$unit,)* }
            }
        }
    };
}
