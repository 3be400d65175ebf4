package measure

// Unit names what a length is counted in.
type Unit string

// The units that networks count in.
const (
	Weighted   Unit = "weighted"    // X's weighted characters
	Graphemes  Unit = "graphemes"   // extended grapheme clusters, UAX #29
	CodePoints Unit = "code points" // Unicode code points
	UTF16      Unit = "utf-16"      // UTF-16 code units
	Bytes      Unit = "bytes"       // UTF-8 bytes
)
