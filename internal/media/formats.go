package media

import (
	"bytes"
	"path"
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
		return isoMedia(string(head[8:12]), head[12:])
	default:
		return ""
	}
}

// isoMedia returns the type for the major brand of an ISO base media file, and those that follow it
// (https://mp4ra.org/registered-types/brands, checked 2026-11-21).
func isoMedia(brand string, more []byte) string {
	if (brand == "mif1" || brand == "msf1") && (bytes.Contains(more, []byte("avif")) || bytes.Contains(more, []byte("avis"))) {
		brand = "avif"
	}
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

// Kind returns how people call a type of file: "JPEG" for "image/jpeg".
func Kind(mime string) string {
	switch mime {
	case "image/jpeg":
		return "JPEG"
	case "image/png":
		return "PNG"
	case "image/gif":
		return "GIF"
	case "image/webp":
		return "WebP"
	case "image/heic":
		return "HEIC"
	case "image/avif":
		return "AVIF"
	case "application/pdf":
		return "PDF"
	case "video/mp4":
		return "MP4"
	case "video/quicktime":
		return "MOV"
	case "audio/mp4":
		return "M4A"
	case "video/webm":
		return "WebM"
	case "video/x-matroska":
		return "MKV"
	}
	return mime
}

// Named returns what a file's name says that it is, in the words of [Kind]: "JPEG" for "hero.jpg"; "" when it says nothing that is known.
func Named(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".jpg", ".jpeg", ".jpe", ".jfif":
		return "JPEG"
	case ".png", ".apng":
		return "PNG"
	case ".heic", ".heif", ".hif":
		return "HEIC"
	case ".webp":
		return "WebP"
	case ".webm":
		return "WebM"
	case ".mp4", ".m4v":
		return "MP4"
	case ".mov", ".qt":
		return "MOV"
	case ".tif", ".tiff":
		return "TIFF"
	case ".gif", ".avif", ".pdf", ".m4a", ".mkv", ".bmp", ".svg", ".avi", ".mp3", ".wav", ".ogg", ".txt", ".html":
		return strings.ToUpper(ext[1:])
	}
	return ""
}

// Rename returns a file's name with the ending that belongs to a [Kind].
func Rename(name, kind string) string {
	ext := "." + strings.ToLower(kind)
	if kind == "JPEG" {
		ext = ".jpg"
	}
	return strings.TrimSuffix(name, path.Ext(name)) + ext
}

// foreign returns what a file is that is no medium, where its first bytes tell, for people: "HTML". It is "" where they do not.
func foreign(head []byte) string {
	for _, known := range [...]struct{ begins, kind string }{
		{"II*\x00", "TIFF"}, {"MM\x00*", "TIFF"}, {"8BPS", "Photoshop"}, {"PK\x03\x04", "ZIP"}, {"RIFF", "AVI or WAV"}, {"ID3", "MP3"},
		{"OggS", "Ogg"}, {"fLaC", "FLAC"}, {"\x00\x00\x01\xba", "MPEG"}, {"version https://git-lfs.github.com/", "a pointer to a file that git keeps in LFS"},
	} {
		if bytes.HasPrefix(head, []byte(known.begins)) {
			return known.kind
		}
	}
	if len(head) >= 10 && string(head[:2]) == "BM" && string(head[6:10]) == "\x00\x00\x00\x00" {
		return "BMP"
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n"))
	for _, known := range [...]struct{ begins, kind string }{{"<!doctype html", "HTML"}, {"<html", "HTML"}, {"<svg", "SVG"}, {"<?xml", "XML"}} {
		if bytes.HasPrefix(text, []byte(known.begins)) {
			return known.kind
		}
	}
	return ""
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
