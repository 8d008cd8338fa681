// Package samples holds example files: the demo, the README and the tests
// share them.
package samples

import "embed"

// Files are the sample files by name.
//
//go:embed *.csv *.toml
var Files embed.FS
