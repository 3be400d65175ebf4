package threads_test

import (
	"testing"
	"time"

	"github.com/postrider/postrider/internal/adapters/threads"
	"github.com/postrider/postrider/internal/adapters/threads/fake"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/platform/platformtest"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

const token = "threads-token-of-acme"

func suite() platformtest.Suite {
	return platformtest.Suite{
		Adapter: threads.Adapter{},
		Account: func(base string) *platform.Account {
			return &platform.Account{Name: "threads", Platform: "threads", Options: &threads.Options{Server: base}}
		},
		Secrets: map[string]secret.String{"ACCESS_TOKEN": secret.New(token)},
		Fake: func(base string) fakenet.Fake {
			return fake.New(fake.Config{Base: base, Tokens: map[string]string{token: "acme"}, Now: platformtest.Clock})
		},
		SilentQuota: true,
		Refusal:     "must be at most 500 characters",
		More:        more(),
	}
}

func TestConformance(t *testing.T) { platformtest.Run(t, suite()) }

// With a bucket, pictures go out without what was written into them.
func TestConformanceWithBucket(t *testing.T) {
	s := suite()
	account := s.Account
	s.Account = func(base string) *platform.Account {
		a := account(base)
		a.HasBucket = true
		return a
	}
	s.Dress = func(p *post.Post) {
		for i := range p.Media {
			p.Media[i].Metadata = true
		}
	}
	platformtest.RunPublisher(t, s)
}

func FuzzPublisher(f *testing.F) { platformtest.Fuzz(f, suite()) }

// more has what else Threads is asked for: a video, both kinds in one carousel, a poll, a topic and who may reply, a first comment.
func more() []platformtest.Extra {
	clip := platform.Media{Path: "content/ride.mp4", MIME: "video/mp4", Alt: "A ride"}
	photo := platform.Media{Path: "content/sled.jpg", MIME: "image/jpeg", Alt: "A sled"}
	files := map[string]string{clip.Path: "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", photo.Path: "\xff\xd8\xff\xe0 a sled"}
	poll := &platform.Poll{Options: []string{"Red", "Blue"}, Duration: 24 * time.Hour}
	return []platformtest.Extra{
		{Name: "video", Files: files, Rendering: platform.Rendering{Parts: []platform.Part{{Text: "Look.", Media: []platform.Media{clip}}}}},
		{Name: "carousel", Files: files, Rendering: platform.Rendering{Parts: []platform.Part{{Text: "All of it.", Media: []platform.Media{photo, clip}}}}},
		{Name: "choice", Rendering: platform.Rendering{Parts: []platform.Part{{Text: "Which?"}}, Poll: poll}},
		{Name: "comment", Rendering: platform.Rendering{
			Parts:    []platform.Part{{Text: "One."}, {Text: "Two."}, {Text: "By the way.", Comment: true}},
			Settings: map[string]string{"topic_tag": "Snow", "reply_control": "mentioned_only"},
		}},
	}
}
