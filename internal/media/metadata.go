package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// iccMark begins the segments of a JPEG that hold its colour profile (ICC.1:2022, annex B.4).
const iccMark = "ICC_PROFILE\x00"

// kept reports whether a segment of a JPEG is part of the picture: everything but what applications wrote, of which only the version of
// JFIF, the colour profile, and Adobe's word on the colours matter to what is shown.
func kept(marker byte, payload []byte) bool {
	switch {
	case marker == 0xfe: // a comment
		return false
	case marker < 0xe0 || marker > 0xef:
		return true
	}
	switch marker {
	case 0xe0:
		return bytes.HasPrefix(payload, []byte("JFIF\x00")) // not JFXX, which holds a preview
	case 0xe2:
		return bytes.HasPrefix(payload, []byte(iccMark))
	case 0xee:
		return bytes.HasPrefix(payload, []byte("Adobe"))
	}
	return false
}

// keptPNG reports whether a chunk of a PNG matters to what is shown (https://www.w3.org/TR/png-3/#11Chunks, checked 2026-11-22).
func keptPNG(kind string) bool {
	return kind[0]&0x20 == 0 || slices.Contains([]string{
		"acTL", "fcTL", "fdAT", "bKGD", "cHRM", "cICP", "cLLI", "gAMA", "iCCP", "mDCV", "pHYs", "sBIT", "sPLT", "sRGB", "tRNS",
	}, kind)
}

// strip returns the picture without what was written beside it.
func strip(source []byte, in Info, r Recipe) ([]byte, error) {
	if in.MIME != r.MIME {
		return nil, fmt.Errorf("%w: %s does not become %s without being encoded anew", ErrUnfit, in.MIME, r.MIME)
	}
	var out []byte
	switch in.MIME {
	case "image/jpeg":
		if in.Turned {
			return nil, fmt.Errorf("%w: it would lie on its side", ErrUnfit)
		}
		out = stripJPEG(source)
	case "image/png":
		out = stripPNG(source)
	case "image/webp":
		out = stripWebP(source)
	}
	switch {
	case out == nil:
		return nil, fmt.Errorf("%w: %w", ErrBroken, errCut)
	case r.MaxBytes > 0 && int64(len(out)) > r.MaxBytes:
		return nil, ErrUnfit
	}
	return out, nil
}

// stripJPEG returns nil for what is no whole JPEG.
func stripJPEG(source []byte) []byte {
	if len(source) < 2 {
		return nil
	}
	out := append(make([]byte, 0, len(source)), source[:2]...)
	for rest := source[2:]; ; {
		// Up to the next marker, which may have fill bytes before it, everything is the picture's own.
		at := 0
		for at+1 < len(rest) && (rest[at] != 0xff || rest[at+1] == 0xff || bare(rest[at+1])) {
			next := bytes.IndexByte(rest[at+1:], 0xff)
			if next < 0 {
				return nil
			}
			at += 1 + next
		}
		if at+1 >= len(rest) {
			return nil
		}
		out = append(out, rest[:at]...)
		rest = rest[at:]
		if rest[1] == 0xd9 {
			return append(out, rest[:2]...)
		}
		if len(rest) < 4 {
			return nil
		}
		size := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if size < 4 || size > len(rest) {
			return nil
		}
		if kept(rest[1], rest[4:size]) {
			out = append(out, rest[:size]...)
		}
		rest = rest[size:]
	}
}

// stripPNG returns nil for what is no whole PNG.
func stripPNG(source []byte) []byte {
	if len(source) < 8 {
		return nil
	}
	out := append(make([]byte, 0, len(source)), source[:8]...)
	for rest := source[8:]; len(rest) >= 12; {
		size := 12 + int64(binary.BigEndian.Uint32(rest))
		if size > int64(len(rest)) {
			return nil
		}
		kind := string(rest[4:8])
		if keptPNG(kind) {
			out = append(out, rest[:size]...)
		}
		if kind == "IEND" {
			return out
		}
		rest = rest[size:]
	}
	return nil
}

// stripWebP returns nil for what is no whole WebP.
func stripWebP(source []byte) []byte {
	if len(source) < 12 {
		return nil
	}
	end := 8 + int64(binary.LittleEndian.Uint32(source[4:]))
	if end > int64(len(source)) || end < 12 {
		return nil
	}
	out := append(make([]byte, 0, len(source)), source[:12]...)
	for rest := source[12:end]; len(rest) >= 8; {
		size := 8 + int64(binary.LittleEndian.Uint32(rest[4:]))
		size = min(size+size&1, max(size, int64(len(rest)))) // the last chunk may lack its padding
		if size > int64(len(rest)) {
			return nil
		}
		switch kind := string(rest[:4]); kind {
		case "EXIF", "XMP ":
		default:
			out = append(out, rest[:size]...)
			if kind == "VP8X" && size > 8 {
				out[len(out)-int(size)+8] &^= webpXMP | webpEXIF
			}
		}
		rest = rest[size:]
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// maxProfile bounds a colour profile: those of printers have some hundred thousand bytes, those of pictures some hundred.
const maxProfile = 1 << 20

// colourProfile returns the ICC profile of a picture, nil if it has none or it is damaged.
func colourProfile(source []byte, mime string) []byte {
	switch mime {
	case "image/jpeg":
		return profileJPEG(source)
	case "image/png":
		for rest := source[8:]; len(rest) >= 12; {
			size := 12 + int64(binary.BigEndian.Uint32(rest))
			kind := string(rest[4:8])
			if size > int64(len(rest)) || kind == "IDAT" {
				return nil
			}
			if kind == "iCCP" { // a name, a zero, the method zero, and what that method packed
				name, packed, ok := bytes.Cut(rest[8:size-4], []byte{0, 0})
				if !ok || len(name) > 79 {
					return nil
				}
				return unpack(packed)
			}
			rest = rest[size:]
		}
	case "image/webp":
		for rest := source[12:]; len(rest) >= 8; {
			size := 8 + int64(binary.LittleEndian.Uint32(rest[4:]))
			if size > int64(len(rest)) || size > maxProfile {
				return nil
			}
			if string(rest[:4]) == "ICCP" {
				return rest[8:size]
			}
			rest = rest[min(size+size&1, int64(len(rest))):]
		}
	}
	return nil
}

func unpack(packed []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil || len(profile) > maxProfile {
		return nil
	}
	return profile
}

// profileJPEG puts the pieces of a JPEG's profile together; they may come in any order.
func profileJPEG(source []byte) []byte {
	var pieces [][]byte
	for rest := source[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker := rest[1]
		if marker == 0xff {
			rest = rest[1:]
			continue
		}
		size := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if marker == 0xda || marker == 0xd9 || size < 4 || size > len(rest) {
			break
		}
		if piece, ok := bytes.CutPrefix(rest[4:size], []byte(iccMark)); ok && marker == 0xe2 && len(piece) > 2 {
			number, all := int(piece[0]), int(piece[1])
			if pieces == nil {
				pieces = make([][]byte, all)
			}
			if number < 1 || number > len(pieces) || all != len(pieces) {
				return nil
			}
			pieces[number-1] = piece[2:]
		}
		rest = rest[size:]
	}
	if slices.ContainsFunc(pieces, func(p []byte) bool { return p == nil }) {
		return nil
	}
	if profile := bytes.Join(pieces, nil); len(profile) > 0 && len(profile) <= maxProfile {
		return profile
	}
	return nil
}

// withProfileJPEG writes a colour profile into a JPEG that has none.
func withProfileJPEG(jpg, profile []byte) []byte {
	if profile == nil {
		return jpg
	}
	const most = 0xffff - 2 - len(iccMark) - 2
	pieces := slices.Collect(slices.Chunk(profile, most))
	out := append(make([]byte, 0, len(jpg)+len(profile)+20*len(pieces)), jpg[:2]...)
	for i, piece := range pieces {
		out = append(out, 0xff, 0xe2)
		out = binary.BigEndian.AppendUint16(out, uint16(2+len(iccMark)+2+len(piece)))
		out = append(out, iccMark...)
		out = append(out, byte(i+1), byte(len(pieces)))
		out = append(out, piece...)
	}
	return append(out, jpg[2:]...)
}

// withProfilePNG writes a colour profile into a PNG that has none, behind its header.
func withProfilePNG(picture, profile []byte) []byte {
	if profile == nil {
		return picture
	}
	var packed bytes.Buffer
	packed.WriteString("iCCP" + "icc\x00\x00")
	w := zlib.NewWriter(&packed)
	_, _ = w.Write(profile) // a buffer takes everything
	_ = w.Close()
	chunk := binary.BigEndian.AppendUint32(nil, uint32(packed.Len()-4))
	chunk = append(chunk, packed.Bytes()...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(packed.Bytes()))
	const header = 8 + 12 + 13
	return slices.Insert(bytes.Clone(picture), header, chunk...)
}

// progressiveJPEG reports whether a JPEG is stored in several passes.
func progressiveJPEG(source []byte) bool {
	for rest := source[min(2, len(source)):]; len(rest) >= 4 && rest[0] == 0xff; {
		switch rest[1] {
		case 0xff:
			rest = rest[1:]
			continue
		case 0xc2:
			return true
		case 0xda, 0xd9:
			return false
		}
		rest = rest[min(len(rest), max(4, 2+int(binary.BigEndian.Uint16(rest[2:])))):]
	}
	return false
}
