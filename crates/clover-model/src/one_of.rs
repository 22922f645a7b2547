//! A module that is one of two, under the parameter paths of the one it is.
//!
//! Burn's own derive puts the name of the variant into each path. Paths are public, and those of a model
//! must not change because its encoder could have been another.

/// Implements Burn's module traits for an enum of two variants that hold a module each.
macro_rules! module_is_one_of {
    ($name:ident { $first:ident($one:ident), $second:ident($other:ident) }) => {
        impl<B: burn::tensor::backend::Backend> burn::module::Module<B> for $name<B> {
            type Record = (
                Option<<$one<B> as burn::module::Module<B>>::Record>,
                Option<<$other<B> as burn::module::Module<B>>::Record>,
            );

            fn collect_devices(
                &self,
                devices: burn::module::Devices<B>,
            ) -> burn::module::Devices<B> {
                match self {
                    Self::$first(module) => module.collect_devices(devices),
                    Self::$second(module) => module.collect_devices(devices),
                }
            }

            fn fork(self, device: &B::Device) -> Self {
                match self {
                    Self::$first(module) => Self::$first(module.fork(device)),
                    Self::$second(module) => Self::$second(module.fork(device)),
                }
            }

            fn to_device(self, device: &B::Device) -> Self {
                match self {
                    Self::$first(module) => Self::$first(module.to_device(device)),
                    Self::$second(module) => Self::$second(module.to_device(device)),
                }
            }

            fn visit<V: burn::module::ModuleVisitor<B>>(&self, visitor: &mut V) {
                match self {
                    Self::$first(module) => module.visit(visitor),
                    Self::$second(module) => module.visit(visitor),
                }
            }

            fn map<M: burn::module::ModuleMapper<B>>(self, mapper: &mut M) -> Self {
                match self {
                    Self::$first(module) => Self::$first(module.map(mapper)),
                    Self::$second(module) => Self::$second(module.map(mapper)),
                }
            }

            /// A record of the other variant leaves the module as it is.
            fn load_record(self, record: Self::Record) -> Self {
                match (self, record) {
                    (Self::$first(module), (Some(record), _)) => {
                        Self::$first(module.load_record(record))
                    }
                    (Self::$second(module), (_, Some(record))) => {
                        Self::$second(module.load_record(record))
                    }
                    (module, _) => module,
                }
            }

            fn into_record(self) -> Self::Record {
                match self {
                    Self::$first(module) => (Some(module.into_record()), None),
                    Self::$second(module) => (None, Some(module.into_record())),
                }
            }
        }

        impl<B: burn::tensor::backend::AutodiffBackend> burn::module::AutodiffModule<B>
            for $name<B>
        {
            type InnerModule = $name<B::InnerBackend>;

            fn valid(&self) -> Self::InnerModule {
                match self {
                    Self::$first(module) => $name::$first(module.valid()),
                    Self::$second(module) => $name::$second(module.valid()),
                }
            }

            fn from_inner(module: Self::InnerModule) -> Self {
                match module {
                    $name::$first(module) => {
                        Self::$first(burn::module::AutodiffModule::from_inner(module))
                    }
                    $name::$second(module) => {
                        Self::$second(burn::module::AutodiffModule::from_inner(module))
                    }
                }
            }
        }

        impl<B: burn::tensor::backend::AutodiffBackend> burn::module::HasAutodiffModule<B>
            for $name<B::InnerBackend>
        {
            type TrainModule = $name<B>;
        }

        impl<B: burn::tensor::backend::Backend> burn::module::ModuleDisplayDefault for $name<B> {
            fn content(&self, content: burn::module::Content) -> Option<burn::module::Content> {
                match self {
                    Self::$first(module) => module.content(content),
                    Self::$second(module) => module.content(content),
                }
            }

            fn num_params(&self) -> usize {
                burn::module::Module::num_params(self)
            }
        }

        impl<B: burn::tensor::backend::Backend> burn::module::ModuleDisplay for $name<B> {}

        impl<B: burn::tensor::backend::Backend> std::fmt::Display for $name<B> {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&burn::module::ModuleDisplay::format(
                    self,
                    Default::default(),
                ))
            }
        }
    };
}

pub(crate) use module_is_one_of;
