package platformtest

import "testing"

// Run runs all cases for one adapter. Goldens of renderings are in the adapter's testdata/golden;
// `go test -update` rewrites them.
func Run(t *testing.T, s Suite) {
}
