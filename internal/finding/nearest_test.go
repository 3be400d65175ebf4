package finding

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"platforms", "publish_at", "tags", "title", "x"}
	for word, want := range map[string]string{
		"platfroms": "platforms", "platform": "platforms", "Publish-At": "publish_at", "publishat": "publish_at",
		"tag": "tags", "titel": "title", "zzz": "", "": "", "completely different": "", "täg": "", "tägs": "tags",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := DidYouMean("zzz", known, "otherwise"); got != "otherwise" {
		t.Errorf("DidYouMean = %q", got)
	}
}
