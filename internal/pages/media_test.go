package pages

import "testing"

func TestMediaType(t *testing.T) {
	for start, want := range map[string]string{
		"\x89PNG\r\n\x1a\n":            "image/png",
		"\xff\xd8\xff\xe0":             "image/jpeg",
		"GIF89a":                       "image/gif",
		"RIFF\x00\x00\x00\x00WEBPVP8 ": "image/webp",
		"\x00\x00\x00\x1cftypavif":     "image/avif",
		"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom": "video/mp4",
		"%PDF-1.7": "application/pdf",
		"":         "",
		"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>": "",
		"<?xml version='1.0'?><svg/>":                             "",
		"<!doctype html><script></script>":                        "",
		"title: a site.yaml":                                      "",
	} {
		kind, ok := MediaType([]byte(start))
		if !ok {
			kind = ""
		}
		if kind != want {
			t.Errorf("%q is %q, want %q", start, kind, want)
		}
	}
}
