package media

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

var errCut = errors.New("it is cut off")

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

// walkJPEG reads a JPEG to its end and reports whether there is something in it that [Fit] would take out. A picture without an end
// is an error.
func walkJPEG(r *bufio.Reader) (metadata bool, err error) {
	var start [2]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return false, errCut
	}
	for {
		marker, err := nextMarker(r)
		switch {
		case err != nil:
			return false, err
		case marker == 0xd9: // the end; some cameras add a second picture, or a film
			_, err := r.ReadByte()
			return metadata || err == nil, nil
		case bare(marker):
			continue
		}
		size, err := r.Peek(2)
		if err != nil || binary.BigEndian.Uint16(size) < 2 {
			return false, errCut
		}
		n := int(binary.BigEndian.Uint16(size))
		head, _ := r.Peek(min(n, 2+len(iccMark))) // a short file is found out by Discard
		metadata = metadata || !kept(marker, head[min(2, len(head)):])
		if _, err := r.Discard(n); err != nil {
			return false, cutOr(err)
		}
	}
}

// bare reports whether a marker has no segment behind it (ITU-T T.81, table B.1).
func bare(marker byte) bool { return marker <= 0x01 || 0xd0 <= marker && marker <= 0xd8 }

// nextMarker finds the next marker, past the picture's own bytes, in which 0xff is followed by a zero or a restart.
func nextMarker(r *bufio.Reader) (byte, error) {
	for {
		_, err := r.ReadSlice(0xff)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return 0, cutOr(err)
		}
		b := byte(0xff)
		for b == 0xff { // fill bytes
			if b, err = r.ReadByte(); err != nil {
				return 0, cutOr(err)
			}
		}
		if !bare(b) {
			return b, nil
		}
	}
}

func cutOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// keptPNG reports whether a chunk of a PNG matters to what is shown (https://www.w3.org/TR/png-3/#11Chunks, checked 2026-11-22).
func keptPNG(kind string) bool {
	return kind[0]&0x20 == 0 || slices.Contains([]string{
		"acTL", "fcTL", "fdAT", "bKGD", "cHRM", "cICP", "cLLI", "gAMA", "iCCP", "mDCV", "pHYs", "sBIT", "sPLT", "sRGB", "tRNS",
	}, kind)
}

// walkPNG reads the chunks of a PNG to its end, without which it is an error.
func (i *Info) walkPNG(r *bufio.Reader) error {
	if _, err := r.Discard(8); err != nil {
		return errCut
	}
	var head [8]byte
	for data := false; ; {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return cutOr(err)
		}
		kind := string(head[4:])
		switch kind {
		case "acTL":
			i.Animated = i.Animated || !data
		case "IDAT":
			data = true
		case "tRNS":
			i.Transparent = true
		}
		i.Metadata = i.Metadata || !keptPNG(kind)
		if _, err := io.CopyN(io.Discard, r, int64(binary.BigEndian.Uint32(head[:4]))+4); err != nil {
			return cutOr(err)
		}
		if kind == "IEND" {
			_, err := r.ReadByte()
			i.Metadata = i.Metadata || err == nil
			return nil
		}
	}
}

// The flags of a WebP's extended header
// (https://developers.google.com/speed/webp/docs/riff_container#extended_file_format, checked 2026-11-22).
const (
	webpMoves = 0x02
	webpXMP   = 0x04
	webpEXIF  = 0x08
	webpAlpha = 0x10
)

// flagsWebP returns what the extended header announces.
func flagsWebP(head []byte) (moves, metadata bool) {
	if len(head) <= 20 || string(head[12:16]) != "VP8X" {
		return false, false
	}
	return head[20]&webpMoves != 0, head[20]&(webpXMP|webpEXIF) != 0
}

// transparent reports whether a picture may let something shine through, as far as its header tells.
func transparent(mime string, head []byte) bool {
	switch mime {
	case "image/png": // the kind of colours stands in the header, behind the size
		return len(head) > 25 && head[25]&4 != 0
	case "image/gif":
		return true // any frame may have a transparent colour
	case "image/webp":
		switch {
		case len(head) <= 24:
			return false
		case string(head[12:16]) == "VP8X":
			return head[20]&webpAlpha != 0
		case string(head[12:16]) == "VP8L": // 8 bits of signature, 14 of width, 14 of height, then this one
			return head[24]&0x10 != 0
		}
	}
	return false
}

// lockedPDF reads a PDF to its end and reports whether it is encrypted: its trailer refers to, or holds, a dictionary that says how
// (ISO 32000-1, section 7.6.1).
func lockedPDF(r *bufio.Reader) (bool, error) {
	const key = "/Encrypt"
	for {
		_, err := r.ReadSlice('/')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		next, _ := r.Peek(len(key) + 8) // what is missing at the end is not the key
		rest, ok := bytes.CutPrefix(next, []byte(key[1:]))
		if !ok {
			continue
		}
		if rest = bytes.TrimLeft(rest, " \t\r\n\f\x00"); len(rest) > 0 && ('1' <= rest[0] && rest[0] <= '9' || bytes.HasPrefix(rest, []byte("<<"))) {
			return true, nil
		}
	}
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
