package telegram

import (
	"net/url"
	"strconv"
	"strings"
)

// chatRef names a chat as the API takes it: "@name", or the id as a number. The zero value names none.
type chatRef struct {
	name string // with '@'
	id   int64
}

// value returns what goes into a request as chat_id.
func (c chatRef) value() any {
	if c.name != "" {
		return c.name
	}
	return c.id
}

// The ids of supergroups and channels are this and the number that stands in their addresses
// (https://core.telegram.org/api/bots/ids, 2026-11-22).
const supergroups = -1_000_000_000_000

// maxName is how long a public name may be.
const maxName = 32

// parseChat reads a chat as it stands in site.yaml. Ids of people are positive and no chat that can be posted to.
func parseChat(s string) (chatRef, bool) {
	if isName(strings.TrimPrefix(s, "@")) && strings.HasPrefix(s, "@") {
		return chatRef{name: s}, true
	}
	id, err := strconv.ParseInt(s, 10, 64)
	return chatRef{id: id}, err == nil && id < 0
}

// isName reports whether s is a public name: letters, digits and underscores, a letter first.
func isName(s string) bool {
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		if !letter && (i == 0 || s[i] != '_' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return len(s) >= 4 && len(s) <= maxName
}

// messageRef names one message. Without a chat, it is one of the account's own.
type messageRef struct {
	chat    chatRef
	message int64
}

// id returns the message as records keep it. The chat is part of it: a number alone would name another message once the account has
// another chat.
func (m messageRef) id() string {
	return strconv.FormatInt(m.chat.id, 10) + "/" + strconv.FormatInt(m.message, 10)
}

// parseMessage reads what records keep, the address of a message, or its number in the account's own chat.
func parseMessage(s string) (messageRef, bool) {
	if strings.Contains(s, "://") {
		return parseAddress(s)
	}
	chat, number, split := strings.Cut(s, "/")
	if !split {
		chat, number = "", s
	}
	message, ok := parseNumber(number)
	m := messageRef{message: message}
	if split && ok {
		m.chat, ok = parseChat(chat)
	}
	return m, ok
}

// parseAddress reads https://t.me/name/12, https://t.me/c/1234567890/12, and both with the number of a topic in between.
// https://core.telegram.org/api/links#message-links (2026-11-22)
func parseAddress(s string) (messageRef, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Query().Has("comment") { // a comment is another message, in another chat
		return messageRef{}, false
	}
	switch strings.ToLower(u.Host) {
	case "t.me", "telegram.me", "telegram.dog":
	default:
		return messageRef{}, false
	}
	steps := strings.Split(strings.Trim(u.Path, "/"), "/")
	var chat chatRef
	ok := false
	switch {
	case len(steps) >= 3 && steps[0] == "c":
		var n int64
		n, ok = parseNumber(steps[1])
		chat.id = supergroups - n
		steps = steps[2:]
	case len(steps) >= 2:
		ok = isName(steps[0])
		chat.name = "@" + steps[0]
		steps = steps[1:]
	}
	if !ok || len(steps) > 2 {
		return messageRef{}, false
	}
	message, ok := parseNumber(steps[len(steps)-1])
	if _, topic := parseNumber(steps[0]); !topic {
		ok = false
	}
	return messageRef{chat, message}, ok
}

// parseNumber reads a positive number without a sign.
func parseNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 52) // ids have at most 52 significant bits
	return n, err == nil && n > 0 && s[0] != '+'
}

// address returns where people see a message, "" where nobody can: in basic groups messages have no addresses.
func address(links string, c *wireChat, message int64) string {
	n := strconv.FormatInt(message, 10)
	switch {
	case c.Username != "":
		return links + "/" + url.PathEscape(c.Username) + "/" + n
	case c.ID < supergroups:
		return links + "/c/" + strconv.FormatInt(supergroups-c.ID, 10) + "/" + n
	}
	return ""
}
