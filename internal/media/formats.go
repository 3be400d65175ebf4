package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// sniff returns the type that a file's first bytes announce, "" when it is none of ours.
func sniff(head []byte) string {
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case has(0, "\x89PNG\r\n\x1a\n"):
		return "image/png"
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return "image/gif"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "image/webp"
	case has(0, "%PDF-"):
		return "application/pdf"
	case has(0, "\x1a\x45\xdf\xa3"): // EBML; its DocType stands within the first bytes
		if bytes.Contains(head, []byte("webm")) {
			return "video/webm"
		}
		return "video/x-matroska"
	case has(4, "ftyp") && len(head) >= 12:
		return isoMedia(string(head[8:12]))
	default:
		return ""
	}
}

// isoMedia returns the type for the major brand of an ISO base media file (https://mp4ra.org/registered-types/brands,
// checked 2026-11-21).
func isoMedia(brand string) string {
	switch brand {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return "image/heic"
	case "avif", "avis":
		return "image/avif"
	case "qt  ":
		return "video/quicktime"
	}
	if strings.HasPrefix(brand, "M4A") || strings.HasPrefix(brand, "M4B") {
		return "audio/mp4"
	}
	return "video/mp4"
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
		if payload, ok := bytes.CutPrefix(rest[4:2+size], []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			return tiffOrientation(payload)
		}
		rest = rest[2+size:]
	}
	return 1
}

// tiffOrientation looks the Orientation tag up in the first directory of a TIFF structure.
func tiffOrientation(tiff []byte) int {
	const tagOrientation, typeShort = 0x0112, 3
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if v := int(order.Uint16(entries[8:])); 1 <= v && v <= 8 {
				return v
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

// animatedGIF reports whether there are at least two frames
// (https://www.w3.org/Graphics/GIF/spec-gif89a.txt, checked 2026-11-21).
func animatedGIF(r *bufio.Reader) bool {
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return false
	}
	if !skipColours(r, screen[10]) {
		return false
	}
	for frames := 0; ; {
		block, err := r.ReadByte()
		if err != nil {
			return false
		}
		switch block {
		case 0x21: // an extension: its label, then sub-blocks
			if _, err := r.Discard(1); err != nil {
				return false
			}
		case 0x2c: // a frame: its descriptor, colours and code size, then sub-blocks
			if frames++; frames == 2 {
				return true
			}
			var descriptor [9]byte
			if _, err := io.ReadFull(r, descriptor[:]); err != nil || !skipColours(r, descriptor[8]) {
				return false
			}
			if _, err := r.Discard(1); err != nil {
				return false
			}
		default: // the trailer, or rubbish
			return false
		}
		for size := byte(1); size != 0; {
			if size, err = r.ReadByte(); err != nil {
				return false
			}
			if _, err := r.Discard(int(size)); err != nil {
				return false
			}
		}
	}
}

// skipColours skips the colour table that packed announces.
func skipColours(r *bufio.Reader, packed byte) bool {
	if packed&0x80 == 0 {
		return true
	}
	_, err := r.Discard(3 << (packed&7 + 1))
	return err == nil
}
