// Package spec reads config.json, says everything that is wrong with it, and
// knows the names the OCI runtime specification (1.3.0) uses and the kernel
// values behind them.
//
// The life of a configuration is Load, then Validate, then use: code that runs
// after Validate may rely on every rule checked here and does not check again.
// Apart from Load, and from the look at the root filesystem and at namespace
// files that Validate takes for a container about to be created, nothing in
// this package does I/O.
package spec
