package media

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func picture(w, h int) *image.Paletted {
	return image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White})
}

func encodePNG(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(w, h)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sizedPNG claims to have w×h pixels.
func sizedPNG(t testing.TB, w, h uint32) []byte {
	t.Helper()
	b := encodePNG(t, 3, 2)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

// insertPNG puts a chunk before the picture's data.
func insertPNG(t testing.TB, still []byte, kind, data string) []byte {
	t.Helper()
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(chunk, kind+data...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	at := bytes.Index(still, []byte("IDAT")) - 4
	return append(append(bytes.Clone(still[:at]), chunk...), still[at:]...)
}

// encodeAPNG puts an animation's chunk where it belongs, before the picture's data.
func encodeAPNG(t testing.TB, w, h int) []byte {
	t.Helper()
	return insertPNG(t, encodePNG(t, w, h), "acTL", "\x00\x00\x00\x02\x00\x00\x00\x00")
}

func encodeGIF(t testing.TB, frames int) []byte {
	t.Helper()
	g := &gif.GIF{}
	for range frames {
		g.Image = append(g.Image, picture(5, 4))
		g.Delay = append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// encodeJPEG makes a JPEG whose EXIF has an orientation, in either byte order; none for 0.
func encodeJPEG(t testing.TB, w, h, orientation int, order binary.AppendByteOrder) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(w, h), nil); err != nil {
		t.Fatal(err)
	}
	if orientation == 0 {
		return b.Bytes()
	}
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	for _, e := range [2][2]int{{0x0100, w}, {0x0112, orientation}} {
		tiff = order.AppendUint16(tiff, uint16(e[0]))
		tiff = order.AppendUint16(tiff, 3)
		tiff = order.AppendUint32(tiff, 1)
		tiff = order.AppendUint16(tiff, uint16(e[1]))
		tiff = append(tiff, 0, 0)
	}
	payload := append([]byte("Exif\x00\x00"), tiff...)
	app := append([]byte{0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(payload)+2))...)
	jpg := b.Bytes()
	return append(append(append(bytes.Clone(jpg[:2]), app...), payload...), jpg[2:]...)
}

// webpVP8X is an extended WebP of 7×6 pixels, with the given flags and chunks, of an even length, behind a picture that is none.
func webpVP8X(flags byte, chunks ...string) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00")
	b = append(append(b, flags, 0, 0, 0, 6, 0, 0, 5, 0, 0), "VP8 \x04\x00\x00\x00abcd"...)
	for _, c := range chunks {
		b = append(binary.LittleEndian.AppendUint32(append(b, c[:4]...), uint32(len(c)-4)), c[4:]...)
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// exif is EXIF that says where a picture was taken, or only that it does not.
func exif(placed bool) string {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00") // one tag: the directory of places
	tag := byte(0)                                                                                                 // its version
	if placed {
		tag = 2
	}
	return string(append(b, 0, 1, 0, tag, 0, 1, 0, 0, 0, 4, 2, 3, 0, 0))
}

// box is a box of an ISO base media file.
func box(kind string, content ...string) string {
	all := strings.Join(content, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(all)))) + kind + all
}

// film is a video of 12.5 s with a track of 320×240 pixels in the given codec; aside turns it by a quarter.
func film(brand, codec string, aside bool, more ...string) []byte {
	zeros := func(n int) string { return strings.Repeat("\x00", n) }
	matrix := "\x00\x01\x00\x00" + zeros(12) + "\x00\x01\x00\x00" + zeros(16)
	if aside {
		matrix = zeros(4) + "\x00\x01\x00\x00" + zeros(4) + "\xff\xff\x00\x00" + zeros(20)
	}
	entry := func(codec string) string {
		return box("minf", box("stbl", box("stsd", zeros(8)+box(codec, zeros(70)))))
	}
	sound := box("trak", box("mdia", box("hdlr", zeros(8)+"soun"), entry("mp4a")))
	picture := box("trak", box("tkhd", zeros(40)+matrix+"\x01\x40\x00\x00\x00\xf0\x00\x00"), box("mdia", box("hdlr", zeros(8)+"vide"), entry(codec)))
	mvhd := box("mvhd", zeros(12)+"\x00\x00\x03\xe8\x00\x00\x30\xd4"+zeros(80))
	return []byte(box("ftyp", brand+zeros(8)) + box("mdat", "pictures and sounds") + box("moov", mvhd+sound+picture+strings.Join(more, "")))
}

// still is a HEIC or AVIF of 400×300 pixels with a preview.
func still(brand string, w, h uint32, more string) []byte {
	size := func(w, h uint32) string {
		return box("ispe", "\x00\x00\x00\x00"+string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)))
	}
	return []byte(box("ftyp", brand+"\x00\x00\x00\x00") + box("meta", "\x00\x00\x00\x00"+box("iprp", box("ipco", size(40, 30)+size(w, h)+more))))
}

// document is a PDF of three pages, of which one was changed and another two are packed.
func document(more string) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write([]byte("4 0 5 20 6 40 <</Type /Page/A 1>>  <</Type/Pages/A 12>><</B 2/Type/Page>>"))
	_ = z.Close()
	page := "3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n"
	return []byte("%PDF-1.7\n2 0 obj\n<</Type/Pages/Count 3>>\nendobj\n" + page + page +
		"9 0 obj\n<</Type/ObjStm/N 3/First 15/Filter/FlateDecode/Length 7>>stream\r\n" + packed.String() + "\nendstream\nendobj\n" + more + "startxref\n7\n%%EOF\n")
}

func TestProbe(t *testing.T) {
	large := encodePNG(t, 300, 200)
	tests := map[string]struct {
		data []byte
		want Info
		err  error
	}{
		"a.png":          {encodePNG(t, 3, 2), Info{MIME: "image/png", Width: 3, Height: 2}, nil},
		"moving.png":     {encodeAPNG(t, 3, 2), Info{MIME: "image/png", Width: 3, Height: 2, Animated: true}, nil},
		"called.jpg":     {encodePNG(t, 3, 2), Info{MIME: "image/png", Width: 3, Height: 2}, nil},
		"still.gif":      {encodeGIF(t, 1), Info{MIME: "image/gif", Width: 5, Height: 4, Frames: 1, Transparent: true}, nil},
		"moving.gif":     {encodeGIF(t, 3), Info{MIME: "image/gif", Width: 5, Height: 4, Frames: 3, Animated: true, Transparent: true}, nil},
		"a.jpg":          {encodeJPEG(t, 8, 6, 0, nil), Info{MIME: "image/jpeg", Width: 8, Height: 6}, nil},
		"upside.jpg":     {encodeJPEG(t, 8, 6, 3, binary.BigEndian), Info{MIME: "image/jpeg", Width: 8, Height: 6, Turned: true, Metadata: true}, nil},
		"big.jpg":        {encodeJPEG(t, 8, 6, 6, binary.BigEndian), Info{MIME: "image/jpeg", Width: 6, Height: 8, Turned: true, Metadata: true}, nil},
		"little.jpg":     {encodeJPEG(t, 8, 6, 8, binary.LittleEndian), Info{MIME: "image/jpeg", Width: 6, Height: 8, Turned: true, Metadata: true}, nil},
		"odd.jpg":        {encodeJPEG(t, 8, 6, 9, binary.LittleEndian), Info{MIME: "image/jpeg", Width: 8, Height: 6, Metadata: true}, nil},
		"a.webp":         {webpVP8X(0x10), Info{MIME: "image/webp", Width: 7, Height: 6, Transparent: true}, nil},
		"moving.webp":    {webpVP8X(0x12), Info{MIME: "image/webp", Width: 7, Height: 6, Animated: true, Transparent: true}, nil},
		"a.mp4":          {film("isom", "avc1", false), Info{MIME: "video/mp4", Width: 320, Height: 240, Duration: 12500 * time.Millisecond, Codec: "h264"}, nil},
		"a.mov":          {film("qt  ", "apcn", true), Info{MIME: "video/quicktime", Width: 240, Height: 320, Duration: 12500 * time.Millisecond, Codec: "prores"}, nil},
		"there.mov":      {film("qt  ", "hvc1", false, box("meta", box("keys", "mdtacom.apple.quicktime.location.ISO6709"))), Info{MIME: "video/quicktime", Width: 320, Height: 240, Duration: 12500 * time.Millisecond, Codec: "h265", Place: true}, nil},
		"there.mp4":      {film("isom", "xyz ", false, box("udta", box("\xa9xyz", "+47+008/"))), Info{MIME: "video/mp4", Width: 320, Height: 240, Duration: 12500 * time.Millisecond, Codec: "xyz", Place: true}, nil},
		"cut.mp4":        {film("isom", "avc1", false)[:300], Info{}, ErrBroken},
		"no index.mp4":   {[]byte(box("ftyp", "isom") + box("mdat", "all")), Info{}, ErrBroken},
		"stream.mp4":     {[]byte(box("ftyp", "isom") + box("moov") + "\x00\x00\x00\x00mdat to the end"), Info{MIME: "video/mp4"}, nil},
		"wide.mp4":       {[]byte(box("ftyp", "isom") + box("moov") + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x14four" + box("free")), Info{MIME: "video/mp4"}, nil},
		"negative.mp4":   {[]byte(box("ftyp", "isom") + box("moov") + "\x00\x00\x00\x01mdat\xff\xff\xff\xff\x00\x00\x00\x14four"), Info{}, ErrBroken},
		"small.mp4":      {[]byte(box("ftyp", "isom") + box("moov") + "\x00\x00\x00\x07mdat"), Info{}, ErrBroken},
		"a.m4a":          {[]byte(box("ftyp", "M4A ") + box("moov")), Info{MIME: "audio/mp4"}, nil},
		"a.heic":         {still("heic", 400, 300, ""), Info{MIME: "image/heic", Width: 400, Height: 300}, nil},
		"turned.heic":    {still("heic", 400, 300, box("irot", "\x03")), Info{MIME: "image/heic", Width: 300, Height: 400}, nil},
		"there.heic":     {append(still("heic", 400, 300, ""), box("mdat", strings.Repeat("E", 20_000)+"\x00\x00\x00\x06Exif\x00\x00"+exif(true))...), Info{MIME: "image/heic", Width: 400, Height: 300, Place: true}, nil},
		"cut.heic":       {append(still("heic", 400, 300, ""), box("mdat", "Exif")[:10]...), Info{}, ErrBroken},
		"vast.heic":      {still("heic", 40_000, 40_000, ""), Info{}, ErrBomb},
		"no index.heic":  {[]byte(box("ftyp", "heic")), Info{}, ErrBroken},
		"a.avif":         {still("avif", 400, 300, ""), Info{MIME: "image/avif", Width: 400, Height: 300}, nil},
		"a.webm":         {[]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x83abc"), Info{MIME: "video/webm"}, nil},
		"live.webm":      {[]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xffab"), Info{MIME: "video/webm"}, nil},
		"cut.webm":       {[]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x84abc"), Info{}, ErrBroken},
		"empty.webm":     {[]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"), Info{}, ErrBroken},
		"a.mkv":          {[]byte("\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska\x18\x53\x80\x67\x80"), Info{MIME: "video/x-matroska"}, nil},
		"a.pdf":          {document(""), Info{MIME: "application/pdf", Pages: 3}, nil},
		"cut.pdf":        {document("")[:100], Info{}, ErrBroken},
		"long.pdf":       {document(strings.Repeat("%%EOF /Type /Pages", 9000)), Info{MIME: "application/pdf", Pages: 3}, nil},
		"packed.pdf":     {[]byte("%PDF-1.7\n/Type/ObjStm>>stream\nno zlib%%EOF"), Info{MIME: "application/pdf"}, nil},
		"locked.pdf":     {[]byte("%PDF-1.7\ntrailer\n<</Size 9/Encrypt 7 0 R/Root 1 0 R>>\n%%EOF"), Info{}, ErrLocked},
		"words.pdf":      {[]byte("%PDF-1.7\n<</EncryptMetadata true>>(/Encrypt is a key)\n%%EOF"), Info{MIME: "application/pdf"}, nil},
		"there.jpg":      {withSegment(encodeJPEG(t, 8, 6, 0, nil), 0xe1, "Exif\x00\x00"+exif(true)), Info{MIME: "image/jpeg", Width: 8, Height: 6, Metadata: true, Place: true}, nil},
		"nowhere.jpg":    {withSegment(encodeJPEG(t, 8, 6, 0, nil), 0xe1, "Exif\x00\x00"+exif(false)), Info{MIME: "image/jpeg", Width: 8, Height: 6, Metadata: true}, nil},
		"told.jpg":       {withSegment(encodeJPEG(t, 8, 6, 0, nil), 0xe1, "http://ns.adobe.com/xap/1.0/\x00<exif:GPSLatitude>47"), Info{MIME: "image/jpeg", Width: 8, Height: 6, Metadata: true, Place: true}, nil},
		"there.png":      {insertPNG(t, encodePNG(t, 3, 2), "eXIf", exif(true)), Info{MIME: "image/png", Width: 3, Height: 2, Metadata: true, Place: true}, nil},
		"there.webp":     {webpVP8X(8, "EXIF"+exif(true)), Info{MIME: "image/webp", Width: 7, Height: 6, Metadata: true, Place: true}, nil},
		"more.webp":      {append(webpVP8X(0), "more"...), Info{MIME: "image/webp", Width: 7, Height: 6, Metadata: true}, nil},
		"no end.gif":     {bytes.TrimSuffix(encodeGIF(t, 2), []byte("\x3b")), Info{}, ErrBroken},
		"half.gif":       {encodeGIF(t, 2)[:60], Info{}, ErrBroken},
		"no frame.gif":   {append(encodeGIF(t, 1)[:13], 0x3b), Info{}, ErrBroken},
		"rubbish.gif":    {append(encodeGIF(t, 1)[:13], "rubbish"...), Info{}, ErrBroken},
		"half.webp":      {webpVP8X(0)[:40], Info{}, ErrBroken},
		"head.webp":      {append([]byte("RIFF\x16\x00\x00\x00"), webpVP8X(0)[8:30]...), Info{}, ErrBroken},
		"half.png":       {large[:len(large)/2], Info{}, ErrBroken},
		"spoilt.png":     {bytes.Replace(large, large[len(large)/2:len(large)/2+4], []byte("oops"), 1), Info{}, ErrBroken},
		"no picture.png": {append(bytes.Clone(large[:33]), large[len(large)-12:]...), Info{}, ErrBroken},
		"no scan.jpg":    {[]byte("\xff\xd8\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00\xff\xd9"), Info{}, ErrBroken},
		"vast.png":       {sizedPNG(t, 40_000, 40_000), Info{}, ErrBomb},
		"largest.png":    {sizedPNG(t, 16_383, 16_383), Info{MIME: "image/png", Width: 16_383, Height: 16_383}, nil},
		"no end.jpg":     {bytes.TrimSuffix(encodeJPEG(t, 8, 6, 0, nil), []byte("\xff\xd9")), Info{}, ErrBroken},
		"no end.png":     {encodePNG(t, 3, 2)[:50], Info{}, ErrBroken},
		"more.jpg":       {append(encodeJPEG(t, 8, 6, 0, nil), "a film"...), Info{MIME: "image/jpeg", Width: 8, Height: 6, Metadata: true}, nil},
		"said.png":       {insertPNG(t, encodePNG(t, 3, 2), "tEXt", "Author\x00Anna"), Info{MIME: "image/png", Width: 3, Height: 2, Metadata: true}, nil},
		"empty.png":      {nil, Info{}, ErrEmpty},
		"html.png":       {[]byte("<html>"), Info{}, ErrNotMedia},
		"lfs.png":        {[]byte("version https://git-lfs.github.com/spec/v1\n"), Info{}, ErrNotMedia},
		"cut.png":        {encodePNG(t, 3, 2)[:20], Info{}, ErrBroken},
		"cut.jpg":        {encodeJPEG(t, 8, 6, 6, binary.BigEndian)[:40], Info{}, ErrBroken},
		"cut.gif":        {encodeGIF(t, 1)[:8], Info{}, ErrBroken},
		"cut.webp":       {webpVP8X(0)[:18], Info{}, ErrBroken},
		"damaged.png":    {bytes.Replace(encodePNG(t, 3, 2), []byte("IHDR"), []byte("IHDX"), 1), Info{}, ErrBroken},
		"nothing.png":    {bytes.Replace(encodePNG(t, 3, 2), []byte("IHDR\x00\x00\x00\x03"), []byte("IHDR\x00\x00\x00\x00"), 1), Info{}, ErrBroken},
		"three bytes":    {[]byte("\xff\xd8\xff"), Info{}, ErrBroken},
		"one byte":       {[]byte("G"), Info{}, ErrNotMedia},
		"folder/one.png": {encodePNG(t, 1, 1), Info{MIME: "image/png", Width: 1, Height: 1}, nil},
	}
	fsys := fstest.MapFS{}
	for name, tt := range tests {
		fsys[name] = &fstest.MapFile{Data: tt.data}
	}
	for name, tt := range tests {
		got, err := Probe(fsys, name)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v, want %v", name, err, tt.err)
		}
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %q does not name the file", name, err)
		}
		if tt.err == nil {
			sum := sha256.Sum256(tt.data)
			tt.want.Digest, tt.want.Bytes = hex.EncodeToString(sum[:]), int64(len(tt.data))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", name, diff)
		}
	}
	if _, err := Probe(fsys, "folder"); !errors.Is(err, ErrFolder) {
		t.Errorf("a folder gives %v", err)
	}
	if _, err := Probe(fsys, "nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

// stream is a file of any size, or one whose disk fails after its head.
type stream struct {
	head []byte
	size int64
	err  error
	at   int64
}

func (s *stream) Open(string) (fs.File, error) { c := *s; return &c, nil }
func (s *stream) Close() error                 { return nil }
func (s *stream) Name() string                 { return "stream" }
func (s *stream) Size() int64                  { return s.size }
func (s *stream) Mode() fs.FileMode            { return 0o644 }
func (s *stream) ModTime() time.Time           { return time.Time{} }
func (s *stream) IsDir() bool                  { return false }
func (s *stream) Sys() any                     { return nil }
func (s *stream) Stat() (fs.FileInfo, error)   { return s, nil }
func (s *stream) Read(p []byte) (int, error) {
	if s.at < int64(len(s.head)) {
		n := copy(p, s.head[s.at:])
		s.at += int64(n)
		return n, nil
	}
	return 0, s.err
}

func TestProbeLimits(t *testing.T) {
	if _, err := Probe(&stream{size: MaxBytes + 1}, "large.mp4"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large file gives %v", err)
	}
	broken := errors.New("input/output error")
	for _, head := range [][]byte{nil, encodePNG(t, 3, 2)[:20], encodePNG(t, 3, 2), []byte("%PDF-1.7")} {
		_, err := Probe(&stream{head: head, size: 100, err: broken}, "a.png")
		if !errors.Is(err, broken) || errors.Is(err, ErrBroken) {
			t.Errorf("a disk that fails after %d bytes gives %v", len(head), err)
		}
	}
}

// counting counts how often files are opened.
type counting struct {
	fstest.MapFS
	mu    sync.Mutex
	opens map[string]int
}

func (c *counting) Open(name string) (fs.File, error) {
	c.mu.Lock()
	c.opens[name]++
	c.mu.Unlock()
	return c.MapFS.Open(name)
}

func TestCache(t *testing.T) {
	fsys := &counting{MapFS: fstest.MapFS{"a.png": {Data: encodePNG(t, 3, 2)}, "b.png": {Data: []byte("x")}}, opens: map[string]int{}}
	var c Cache
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if info, err := c.Probe(fsys, "a.png"); err != nil || info.Width != 3 {
				t.Errorf("%+v, %v", info, err)
			}
			if _, err := c.Probe(fsys, "b.png"); !errors.Is(err, ErrNotMedia) {
				t.Errorf("an error that is remembered as %v", err)
			}
		})
	}
	wg.Wait()
	if fsys.opens["a.png"] != 1 || fsys.opens["b.png"] != 1 {
		t.Errorf("files were opened %v times", fsys.opens)
	}
	fsys.MapFS["a.png"] = &fstest.MapFile{Data: encodePNG(t, 4, 2), ModTime: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	if info, err := c.Probe(fsys, "a.png"); err != nil || info.Width != 4 {
		t.Errorf("a changed file is still %+v, %v", info, err)
	}
	delete(fsys.MapFS, "a.png")
	if _, err := c.Probe(fsys, "a.png"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted file gives %v", err)
	}
}

func FuzzProbe(f *testing.F) {
	for _, b := range [][]byte{
		encodePNG(f, 3, 2), encodeAPNG(f, 3, 2), encodeGIF(f, 2), encodeJPEG(f, 8, 6, 6, binary.BigEndian), encodeJPEG(f, 8, 6, 6, binary.LittleEndian),
		webpVP8X(10, "EXIF"+exif(true)), document(""), film("isom", "avc1", true, box("udta", box("\xa9xyz"))), append(still("heic", 4, 3, ""), box("mdat", "Exif\x00\x00"+exif(true))...),
		[]byte("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x80"),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := read(bytes.NewReader(b))
		if err != nil {
			if info != (Info{}) {
				t.Errorf("%+v comes with %v", info, err)
			}
			return
		}
		sum := sha256.Sum256(b)
		if info.Bytes != int64(len(b)) || info.Digest != hex.EncodeToString(sum[:]) || info.MIME == "" || info.Width < 0 || info.Height < 0 {
			t.Errorf("%d bytes are said to be %+v", len(b), info)
		}
		if o := orientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(encodeJPEG(f, 8, 6, 6, binary.BigEndian))
	f.Add(encodeJPEG(f, 8, 6, 8, binary.LittleEndian))
	f.Add([]byte("\xff\xd8\xff\xff\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := orientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		if o := tiffOrientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d of the directory", o)
		}
	})
}
