// Package media finds out what a picture, video or document is, from its bytes and never from its name.
//
// [Probe] reads a file once, as a stream: it digests all of it and walks its structure to the end, so that a file which is cut off or
// damaged is found out, and decodes no more than the header that states the size in pixels, so that a small file which unfolds into a
// huge picture costs nothing. A [Cache] remembers the answers.
//
// [Fit] changes a picture so that a network takes it, and takes out what a camera wrote beside it. A [Fitter] remembers the results and keeps
// several of them from needing too much memory at once.
package media

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/image/webp"
)

// MaxBytes is the largest file that Probe reads.
const MaxBytes = 512 << 20

// MaxArea is the largest picture, in pixels, that is not taken for a decompression bomb: that of sharp and libvips
// (https://sharp.pixelplumbing.com/api-constructor, limitInputPixels, checked 2026-11-22), which networks use too. The largest cameras
// and phones make 200 million pixels, and whoever decodes this many needs a gigabyte.
const MaxArea = 0x3fff * 0x3fff

// maxHeader bounds how far into a file the size of a picture is looked for. Cameras put previews and
// colour profiles of some megabytes before it.
const maxHeader = 16 << 20

// The errors that Probe wraps, besides [fs.ErrNotExist] and [fs.ErrPermission].
var (
	ErrEmpty    = errors.New("the file is empty")
	ErrFolder   = errors.New("it is a folder")
	ErrNotMedia = errors.New("the bytes are no picture, video or PDF")
	ErrBroken   = errors.New("the file is damaged")
	ErrBomb     = errors.New("the picture is larger than any that can be shown")
	ErrLocked   = errors.New("the PDF is protected by a password")
	ErrTooLarge = fmt.Errorf("the file is larger than %d MiB", MaxBytes>>20)
)

// Info is what a file's bytes say. What does not apply to its type, or is not known, is zero.
type Info struct {
	MIME          string // "image/jpeg"
	Digest        string // hex SHA-256 of all bytes
	Bytes         int64
	Width, Height int           // pixels as shown: the orientation applied
	Animated      bool          // several frames: GIF, PNG and WebP
	Frames        int           // of a GIF
	Turned        bool          // a JPEG that is stored otherwise than it is shown
	Transparent   bool          // it has an alpha channel or a transparent colour: PNG, GIF and WebP
	Metadata      bool          // a camera or a program wrote something beside the picture that [Fit] can take out: JPEG, PNG and WebP
	Place         bool          // it says where it was taken: JPEG, PNG, WebP, HEIC, AVIF, MP4 and MOV
	Duration      time.Duration // of a video or sound
	Codec         string        // of a video: "h264"; as its file spells it when it is none of those with a name here
	Pages         int           // of a PDF
}

// Probe reads a file and reports what it is. Errors wrap one of the errors of this package or of
// [io/fs].
func Probe(fsys fs.FS, path string) (Info, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Info{}, err
	}
	fail := func(err error) (Info, error) { return Info{}, &fs.PathError{Op: "probe", Path: path, Err: err} }
	switch {
	case st.IsDir():
		return fail(ErrFolder)
	case st.Size() > MaxBytes:
		return fail(ErrTooLarge)
	}
	info, err := read(f)
	if err != nil {
		return fail(err)
	}
	return info, nil
}

// ProbeBytes is [Probe] for bytes that are no file yet.
func ProbeBytes(data []byte) (Info, error) { return read(bytes.NewReader(data)) }

// read probes a stream.
func read(r io.Reader) (Info, error) {
	hash := sha256.New()
	counted := &counter{r: io.TeeReader(io.LimitReader(r, MaxBytes+1), hash)}
	br := newReader(counted)
	head, err := br.Peek(sniffed)
	if len(head) == 0 {
		if err == io.EOF {
			return Info{}, ErrEmpty
		}
		return Info{}, err
	}
	info := Info{MIME: sniff(head)}
	if info.MIME == "" {
		return Info{}, notMedia(head)
	}
	if err := info.measure(br); err != nil {
		if counted.err != nil { // the disk's fault, not the picture's
			return Info{}, counted.err
		}
		return Info{}, damaged(err)
	}
	if _, err := io.Copy(io.Discard, br); err != nil {
		return Info{}, err
	}
	if counted.n > MaxBytes {
		return Info{}, ErrTooLarge
	}
	info.Bytes = counted.n
	info.Digest = hex.EncodeToString(hash.Sum(nil))
	return info, nil
}

// damaged returns the error for what measuring has found.
func damaged(err error) error {
	if errors.Is(err, ErrBomb) || errors.Is(err, ErrLocked) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

// notMedia returns the error for a file that begins with head, with what it is where that is known.
func notMedia(head []byte) error {
	if kind := foreign(head); kind != "" {
		return &NotMediaError{kind}
	}
	return ErrNotMedia
}

// NotMediaError is an [ErrNotMedia] that knows what the file is instead.
type NotMediaError struct{ Kind string } // "HTML"

// Error implements error.
func (e *NotMediaError) Error() string { return ErrNotMedia.Error() + ", but " + e.Kind }

// Unwrap returns [ErrNotMedia].
func (e *NotMediaError) Unwrap() error { return ErrNotMedia }

// sniffed is how many bytes [sniff] looks at.
const sniffed = 64

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 16<<10) }

// counter counts what was read and keeps the error that is not the end of the file.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// measure fills in what the file says besides its type and walks it to its end; it leaves br somewhere in the file when that is an error.
func (i *Info) measure(br *bufio.Reader) error {
	var decode func(io.Reader) (image.Config, error)
	switch i.MIME {
	case "image/jpeg":
		decode = jpeg.DecodeConfig
	case "image/png":
		decode = png.DecodeConfig
	case "image/gif":
		decode = gif.DecodeConfig
	case "image/webp":
		decode = webp.DecodeConfig
	case "application/pdf":
		return i.walkPDF(br)
	case "video/webm", "video/x-matroska":
		return walkEBML(br)
	default:
		return i.walkBoxes(br)
	}
	var head bytes.Buffer // what the decoder consumed
	cfg, err := decode(io.TeeReader(io.LimitReader(br, maxHeader), &head))
	if err != nil {
		return cutOr(err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return fmt.Errorf("it is %d×%d pixels", cfg.Width, cfg.Height)
	}
	i.Width, i.Height = cfg.Width, cfg.Height
	if err := i.bomb(); err != nil {
		return err
	}
	turn := 1
	if i.MIME == "image/jpeg" {
		turn = orientation(head.Bytes())
	} else {
		i.Transparent = transparent(i.MIME, head.Bytes())
	}
	rest := newReader(io.MultiReader(&head, br)) // the whole file once more
	switch i.MIME {
	case "image/jpeg":
		if i.Turned = turn != 1; turn >= 5 { // these four lie on their side
			i.Width, i.Height = i.Height, i.Width
		}
		return i.walkJPEG(rest)
	case "image/png":
		return i.walkPNG(rest)
	case "image/gif":
		return i.walkGIF(rest)
	default:
		return i.walkWebP(rest)
	}
}

// bomb returns an error for a picture that is too large to be decoded by anybody.
func (i *Info) bomb() error {
	if int64(i.Width)*int64(i.Height) > MaxArea {
		return fmt.Errorf("%w: %d×%d pixels", ErrBomb, i.Width, i.Height)
	}
	return nil
}

// Prober tells what a file is.
type Prober interface {
	Probe(fsys fs.FS, path string) (Info, error)
}

// Cache is a [Prober] that reads a file again only when its size or modification time has changed.
// It serves one file system. The zero Cache is ready for use, by several goroutines at once.
type Cache struct{ files sync.Map } // path → *entry

type entry struct {
	size int64
	mod  time.Time
	once sync.Once
	info Info
	err  error
}

// Probe implements [Prober].
func (c *Cache) Probe(fsys fs.FS, path string) (Info, error) {
	st, err := fs.Stat(fsys, path)
	if err != nil {
		return Info{}, err
	}
	fresh := &entry{size: st.Size(), mod: st.ModTime()}
	got, found := c.files.LoadOrStore(path, fresh)
	e := got.(*entry)
	if found && (e.size != fresh.size || !e.mod.Equal(fresh.mod)) {
		c.files.Store(path, fresh)
		e = fresh
	}
	e.once.Do(func() { e.info, e.err = Probe(fsys, path) })
	return e.info, e.err
}
