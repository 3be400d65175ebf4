package media

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

var (
	errCut     = errors.New("it is cut off")
	errNothing = errors.New("there is no picture in it")
)

// maxWritten bounds how much of what was written beside a picture is looked at.
const maxWritten = 1 << 20

func cutOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// eat passes the next n bytes on in pieces, none of which is kept.
func eat(r *bufio.Reader, n int64, piece func([]byte)) error {
	for n > 0 {
		b, err := r.Peek(int(min(n, int64(r.Size()))))
		if err != nil {
			return cutOr(err)
		}
		piece(b)
		n -= int64(len(b))
		_, _ = r.Discard(len(b)) // what was peeked at is there
	}
	return nil
}

// walkJPEG reads a JPEG to its end, and finds what [Fit] would take out.
func (i *Info) walkJPEG(r *bufio.Reader) error {
	if _, err := r.Discard(2); err != nil {
		return errCut
	}
	for scanned := false; ; {
		marker, err := nextMarker(r)
		switch {
		case err != nil:
			return err
		case marker == 0xd9 && !scanned:
			return errNothing
		case marker == 0xd9: // the end; some cameras add a second picture, or a film
			_, err := r.ReadByte()
			i.Metadata = i.Metadata || err == nil
			return nil
		case marker == 0xda:
			scanned = true
		}
		size, err := r.Peek(2)
		if err != nil || binary.BigEndian.Uint16(size) < 2 {
			return errCut
		}
		n := int(binary.BigEndian.Uint16(size))
		head, _ := r.Peek(min(n, 2+len(iccMark))) // a short file is found out below
		if !kept(marker, head[min(2, len(head)):]) {
			i.Metadata = true
		}
		if marker != 0xe1 { // EXIF and XMP
			if _, err := r.Discard(n); err != nil {
				return cutOr(err)
			}
			continue
		}
		written := make([]byte, n)
		if _, err := io.ReadFull(r, written); err != nil {
			return cutOr(err)
		}
		i.Place = i.Place || placed(written[2:])
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

// walkPNG reads the chunks of a PNG to its end and verifies their checksums.
func (i *Info) walkPNG(r *bufio.Reader) error {
	if _, err := r.Discard(8); err != nil {
		return errCut
	}
	var head, sum [8]byte
	for data := false; ; {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return cutOr(err)
		}
		size, kind := binary.BigEndian.Uint32(head[:4]), string(head[4:])
		switch kind {
		case "acTL":
			i.Animated = i.Animated || !data
		case "IDAT":
			data = true
		case "tRNS":
			i.Transparent = true
		}
		i.Metadata = i.Metadata || !keptPNG(kind)
		check := crc32.ChecksumIEEE(head[4:])
		var written []byte
		err := eat(r, int64(size), func(b []byte) {
			check = crc32.Update(check, crc32.IEEETable, b)
			if (kind == "eXIf" || kind == "iTXt") && len(written) < maxWritten {
				written = append(written, b...)
			}
		})
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(r, sum[:4]); err != nil {
			return cutOr(err)
		}
		if binary.BigEndian.Uint32(sum[:4]) != check {
			return fmt.Errorf("the checksum of a part of it, %q, is wrong", kind)
		}
		i.Place = i.Place || placed(written)
		if kind == "IEND" {
			if !data {
				return errNothing
			}
			_, err := r.ReadByte()
			i.Metadata = i.Metadata || err == nil
			return nil
		}
	}
}

// walkGIF reads the blocks of a GIF to its end and counts its frames (https://www.w3.org/Graphics/GIF/spec-gif89a.txt, checked 2026-11-21).
func (i *Info) walkGIF(r *bufio.Reader) error {
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return cutOr(err)
	}
	if err := skipColours(r, screen[10]); err != nil {
		return err
	}
	for {
		block, err := r.ReadByte()
		if err != nil {
			return cutOr(err)
		}
		switch block {
		case 0x21: // an extension: its label, then sub-blocks
			_, err = r.Discard(1)
		case 0x2c: // a frame: its descriptor, colours and code size, then sub-blocks
			i.Frames++
			i.Animated = i.Frames > 1
			var descriptor [9]byte
			if _, err = io.ReadFull(r, descriptor[:]); err == nil {
				err = skipColours(r, descriptor[8])
			}
			if err == nil {
				_, err = r.Discard(1)
			}
		case 0x3b: // the trailer
			if i.Frames == 0 {
				return errNothing
			}
			return nil
		default:
			return fmt.Errorf("a part of it is of the unknown kind %#02x", block)
		}
		for size := byte(1); size != 0 && err == nil; {
			if size, err = r.ReadByte(); err == nil {
				_, err = r.Discard(int(size))
			}
		}
		if err != nil {
			return cutOr(err)
		}
	}
}

// skipColours skips the colour table that packed announces.
func skipColours(r *bufio.Reader, packed byte) error {
	if packed&0x80 == 0 {
		return nil
	}
	_, err := r.Discard(3 << (packed&7 + 1))
	return cutOr(err)
}

// The flags of a WebP's extended header
// (https://developers.google.com/speed/webp/docs/riff_container#extended_file_format, checked 2026-11-22).
const (
	webpMoves = 0x02
	webpXMP   = 0x04
	webpEXIF  = 0x08
	webpAlpha = 0x10
)

// walkWebP reads the chunks of a WebP to the end that its header states.
func (i *Info) walkWebP(r *bufio.Reader) error {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return cutOr(err)
	}
	pictured := false
	for left := int64(binary.LittleEndian.Uint32(head[4:])) - 4; left >= 8; {
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return cutOr(err)
		}
		size, kind := int64(binary.LittleEndian.Uint32(head[4:])), string(head[:4])
		left -= 8
		if size > left {
			return errCut
		}
		var written []byte
		looked := kind == "VP8X" || kind == "EXIF" || kind == "XMP "
		size = min(size+size&1, left) // the last chunk may lack its padding
		err := eat(r, size, func(b []byte) {
			if looked && len(written) < maxWritten {
				written = append(written, b...)
			}
		})
		if err != nil {
			return err
		}
		left -= size
		switch kind {
		case "VP8 ", "VP8L", "ANMF":
			pictured = true
		case "VP8X":
			if len(written) > 0 {
				i.Animated = written[0]&webpMoves != 0
				i.Metadata = i.Metadata || written[0]&(webpXMP|webpEXIF) != 0
			}
		case "EXIF", "XMP ":
			i.Metadata = true
			i.Place = i.Place || placed(written)
		}
	}
	if !pictured {
		return errNothing
	}
	_, err := r.ReadByte()
	i.Metadata = i.Metadata || err == nil
	return nil
}
