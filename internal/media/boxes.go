package media

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"time"
)

// maxIndex bounds the index of a video that is read into memory: one of some hours has a few megabytes.
const maxIndex = 16 << 20

var errNoIndex = errors.New("its index is missing: it was not written to its end")

// walkBoxes reads an ISO base media file (MP4, MOV, M4A, HEIC, AVIF) to its end, box by box, and fills in what its index says
// (ISO/IEC 14496-12:2022, sections 4.2 and 8; 23008-12:2022, section 6.5). Inside of an index, what makes no sense is passed over.
func (i *Info) walkBoxes(r *bufio.Reader) error {
	picture := strings.HasPrefix(i.MIME, "image/")
	indexed := false
	for {
		var head [16]byte
		if _, err := io.ReadFull(r, head[:8]); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break // fewer than eight bytes are no box
		} else if err != nil {
			return err
		}
		size, kind := int64(binary.BigEndian.Uint32(head[:4]))-8, string(head[4:8])
		switch size {
		case 0 - 8: // the rest of the file
			size = math.MaxInt64
		case 1 - 8: // the size has eight bytes more
			if _, err := io.ReadFull(r, head[8:]); err != nil {
				return cutOr(err)
			}
			size = int64(binary.BigEndian.Uint64(head[8:])) - 16 //nolint:gosec // a size that is negative is refused
		}
		if size < 0 {
			return errors.New("a part of it is smaller than its own head")
		}
		index := kind == "moov" || kind == "meta" && picture
		var err error
		switch {
		case index && size <= maxIndex:
			var b bytes.Buffer
			if _, err = io.CopyN(&b, r, size); err == nil {
				i.readIndex(kind, b.Bytes())
			}
		case kind == "mdat" && picture:
			err = i.findEXIF(r, size)
		default:
			_, err = io.CopyN(io.Discard, r, size)
		}
		if err != nil && !(size == math.MaxInt64 && errors.Is(err, io.EOF)) {
			return cutOr(err)
		}
		indexed = indexed || index
	}
	switch {
	case !indexed && picture:
		return errNothing
	case !indexed:
		return errNoIndex
	case picture:
		return i.bomb()
	}
	return nil
}

// eachBox calls f with the boxes that content consists of.
func eachBox(content []byte, f func(kind string, content []byte)) {
	for len(content) >= 8 {
		size := uint64(binary.BigEndian.Uint32(content))
		if size < 8 || size > uint64(len(content)) {
			return
		}
		f(string(content[4:8]), content[8:size])
		content = content[size:]
	}
}

func (i *Info) readIndex(kind string, index []byte) {
	if kind == "meta" {
		i.readPictureIndex(index)
		return
	}
	var scale uint32 // units in a second
	i.Place = i.Place || bytes.Contains(index, []byte("com.apple.quicktime.location."))
	eachBox(index, func(kind string, c []byte) {
		switch kind {
		case "mvhd":
			switch {
			case len(c) >= 32 && c[0] == 1:
				scale = binary.BigEndian.Uint32(c[20:])
				i.Duration = lasting(binary.BigEndian.Uint64(c[24:]), scale)
			case len(c) >= 20 && c[0] == 0:
				scale = binary.BigEndian.Uint32(c[12:])
				i.Duration = lasting(uint64(binary.BigEndian.Uint32(c[16:])), scale)
			}
		case "mvex": // of a video in fragments
			eachBox(c, func(kind string, c []byte) {
				switch {
				case kind != "mehd" || i.Duration > 0:
				case len(c) >= 12 && c[0] == 1:
					i.Duration = lasting(binary.BigEndian.Uint64(c[4:]), scale)
				case len(c) >= 8 && c[0] == 0:
					i.Duration = lasting(uint64(binary.BigEndian.Uint32(c[4:])), scale)
				}
			})
		case "udta":
			eachBox(c, func(kind string, _ []byte) { i.Place = i.Place || kind == "\xa9xyz" || kind == "loci" })
		case "trak":
			i.readTrack(c)
		}
	})
}

// lasting returns a duration, 0 for one that is not known or makes no sense.
func lasting(n uint64, scale uint32) time.Duration {
	seconds := float64(n) / float64(scale)
	if scale == 0 || n == math.MaxUint32 || seconds > 1e7 {
		return 0
	}
	return time.Duration(seconds * float64(time.Second)).Round(time.Millisecond)
}

// readTrack takes size and codec over from a track, if it is the first that shows something.
func (i *Info) readTrack(track []byte) {
	if i.Codec != "" {
		return
	}
	var width, height int
	var handler, sample string
	eachBox(track, func(kind string, c []byte) {
		switch kind {
		case "tkhd":
			at := 40 // of the matrix
			if len(c) > 0 && c[0] == 1 {
				at = 52
			}
			if len(c) < at+44 {
				return
			}
			width, height = int(binary.BigEndian.Uint16(c[at+36:])), int(binary.BigEndian.Uint16(c[at+40:]))
			if upright, aside := binary.BigEndian.Uint32(c[at:]), binary.BigEndian.Uint32(c[at+4:]); upright == 0 && aside != 0 {
				width, height = height, width
			}
		case "mdia":
			eachBox(c, func(kind string, c []byte) {
				switch {
				case kind == "hdlr" && len(c) >= 12:
					handler = string(c[8:12])
				case kind == "minf":
					sample = sampleOf(c)
				}
			})
		}
	})
	if handler == "vide" {
		i.Width, i.Height, i.Codec = width, height, codecName(sample)
	}
}

// sampleOf returns the four letters of what a track's samples are.
func sampleOf(minf []byte) (kind string) {
	eachBox(minf, func(box string, c []byte) {
		if box != "stbl" {
			return
		}
		eachBox(c, func(box string, c []byte) {
			if box == "stsd" && len(c) >= 16 {
				kind = string(c[12:16])
			}
		})
	})
	return kind
}

// codecName returns the usual name for a sample's four letters (https://mp4ra.org/registered-types/sampleentries, checked 2026-11-22).
func codecName(sample string) string {
	switch sample {
	case "avc1", "avc2", "avc3", "avc4":
		return "h264"
	case "hvc1", "hev1", "dvh1", "dvhe":
		return "h265"
	case "av01":
		return "av1"
	case "vp08":
		return "vp8"
	case "vp09":
		return "vp9"
	case "mp4v":
		return "mpeg4"
	case "apch", "apcn", "apcs", "apco", "ap4h", "ap4x":
		return "prores"
	}
	return strings.ToValidUTF8(strings.Trim(sample, " \x00"), "?")
}

// readPictureIndex takes the size over of the largest picture in the file: others are tiles and previews of it.
func (i *Info) readPictureIndex(meta []byte) {
	turned := false
	eachBox(meta[min(4, len(meta)):], func(kind string, c []byte) {
		if kind != "iprp" {
			return
		}
		eachBox(c, func(kind string, c []byte) {
			if kind != "ipco" {
				return
			}
			eachBox(c, func(kind string, c []byte) {
				switch {
				case kind == "ispe" && len(c) >= 12:
					w, h := int(binary.BigEndian.Uint32(c[4:])&math.MaxInt32), int(binary.BigEndian.Uint32(c[8:])&math.MaxInt32)
					if int64(w)*int64(h) > int64(i.Width)*int64(i.Height) {
						i.Width, i.Height = w, h
					}
				case kind == "irot" && len(c) >= 1: // by quarters
					turned = turned || c[0]&1 != 0
				}
			})
		})
	})
	if turned {
		i.Width, i.Height = i.Height, i.Width
	}
}

// findEXIF reads size bytes of pictures and reports in i whether EXIF among them tells a place. Where it begins is written elsewhere; its
// mark, as cameras write it, says the same.
func (i *Info) findEXIF(r *bufio.Reader, size int64) error {
	mark := []byte(exifMark)
	for size > 0 {
		b, err := r.Peek(int(min(size, int64(r.Size()))))
		if len(b) == 0 {
			return err
		}
		n := bytes.Index(b, mark)
		switch {
		case n > 0: // next time it stands at the beginning, with as much behind it as there is room for
		case n == 0:
			i.Place = i.Place || placed(b)
			n = len(mark)
		case err == nil && int64(len(b)) < size: // it may begin at the end
			n = len(b) - len(mark) + 1
		default:
			n = len(b)
		}
		_, _ = r.Discard(n) // what was peeked at is there
		size -= int64(n)
	}
	return nil
}

// The ids of EBML elements (https://www.matroska.org/technical/elements.html, checked 2026-11-22).
const ebmlSegment = 0x18538067

// walkEBML reads a WebM or Matroska file to its end: its head, and one segment that holds all the rest.
func walkEBML(r *bufio.Reader) error {
	for {
		id, _, err := ebmlNumber(r, 4)
		if err != nil {
			return errNoIndex
		}
		size, unknown, err := ebmlNumber(r, 8)
		if err != nil {
			return err
		}
		if id == ebmlSegment && unknown { // as a live recording is written
			return nil
		}
		if _, err := io.CopyN(io.Discard, r, int64(size)); err != nil || id == ebmlSegment { //nolint:gosec // it has 56 bits
			return cutOr(err)
		}
	}
}

// ebmlNumber reads a number of a variable length. That of an id, which has at most four bytes, keeps the mark of its length.
func ebmlNumber(r *bufio.Reader, most int) (n uint64, unknown bool, err error) {
	first, err := r.ReadByte()
	if err != nil {
		return 0, false, cutOr(err)
	}
	length := 1
	for mark := byte(0x80); first&mark == 0; mark >>= 1 {
		if length++; length > most {
			return 0, false, errors.New("a part of it has no size")
		}
	}
	n = uint64(first)
	for range length - 1 {
		b, err := r.ReadByte()
		if err != nil {
			return 0, false, cutOr(err)
		}
		n = n<<8 | uint64(b)
	}
	if most == 4 {
		return n, false, nil
	}
	values := uint64(1)<<(7*length) - 1
	n &= values
	return n, n == values, nil
}
