package media

import (
	"bytes"
	"encoding/binary"
)

// exifMark begins what a JPEG's EXIF segment holds: a TIFF structure follows (CIPA DC-008, Exif 2.32, section 4.7.2).
const exifMark = "Exif\x00\x00"

// placed reports whether EXIF or XMP tells where a picture was taken. EXIF may come with or without its mark.
func placed(written []byte) bool {
	if dir, ok := openTIFF(bytes.TrimPrefix(written, []byte(exifMark))); ok {
		return dir.placed()
	}
	return bytes.Contains(written, []byte("GPSLatitude")) // XMP is text
}

// orientation returns the EXIF orientation of a JPEG, 1 to 8; 1 when it states none. jpg may be cut
// off anywhere (CIPA DC-008, Exif 2.32, sections 4.5.4 and 4.6.4).
func orientation(jpg []byte) int {
	if len(jpg) < 2 {
		return 1
	}
	for rest := jpg[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker := rest[1]
		if marker == 0xff { // fill bytes may precede a marker
			rest = rest[1:]
			continue
		}
		if marker == 0xda || marker == 0xd9 { // the picture itself begins, or ends
			return 1
		}
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if size < 2 || len(rest) < 2+size {
			return 1
		}
		if payload, ok := bytes.CutPrefix(rest[4:2+size], []byte(exifMark)); ok && marker == 0xe1 {
			return tiffOrientation(payload)
		}
		rest = rest[2+size:]
	}
	return 1
}

// tiffOrientation looks the Orientation tag up in the first directory of a TIFF structure.
func tiffOrientation(b []byte) int {
	const tagOrientation, typeShort = 0x0112, 3
	dir, ok := openTIFF(b)
	if !ok {
		return 1
	}
	entry, ok := dir.entry(dir.first(), tagOrientation)
	if !ok || dir.order.Uint16(entry[2:]) != typeShort {
		return 1
	}
	if v := int(dir.order.Uint16(entry[8:])); 1 <= v && v <= 8 {
		return v
	}
	return 1
}

// tiff is a TIFF structure: directories of tagged values.
type tiff struct {
	b     []byte
	order binary.ByteOrder
}

func openTIFF(b []byte) (tiff, bool) {
	if len(b) < 8 {
		return tiff{}, false
	}
	switch string(b[:4]) {
	case "II*\x00":
		return tiff{b, binary.LittleEndian}, true
	case "MM\x00*":
		return tiff{b, binary.BigEndian}, true
	}
	return tiff{}, false
}

// first returns where the first directory is.
func (t tiff) first() uint64 { return uint64(t.order.Uint32(t.b[4:])) }

// entry returns the twelve bytes of a tag: itself, its type, how many values it has, and the value or where it is.
func (t tiff) entry(directory uint64, tag uint16) ([]byte, bool) {
	if directory+2 > uint64(len(t.b)) {
		return nil, false
	}
	entries := t.b[directory+2:]
	for range t.order.Uint16(t.b[directory:]) {
		if len(entries) < 12 {
			return nil, false
		}
		if t.order.Uint16(entries) == tag {
			return entries[:12], true
		}
		entries = entries[12:]
	}
	return nil, false
}

// placed reports whether there is a directory of places with a latitude in it. One that is cut off counts.
func (t tiff) placed() bool {
	const tagGPS, tagLatitude = 0x8825, 0x0002
	entry, ok := t.entry(t.first(), tagGPS)
	if !ok {
		return false
	}
	directory := uint64(t.order.Uint32(entry[8:]))
	if directory+2 > uint64(len(t.b)) {
		return true
	}
	_, ok = t.entry(directory, tagLatitude)
	return ok
}
