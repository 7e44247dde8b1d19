package news

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

const (
	// postTime is how long a webhook may take to answer.
	postTime = 30 * time.Second
	// maxComplaint is how much of what it says is shown, in bytes.
	maxComplaint = 1000
	// minSecret is how long a part of a URL is at least that may be a secret.
	minSecret = 6
)

// A Webhook posts news as JSON. Its URL may have a secret in it, so no error shows
// more than the host.
type Webhook struct {
	url    *url.URL
	client *http.Client
}

// NewWebhook makes a Webhook.
func NewWebhook(where string) (*Webhook, error) {
	u, err := url.Parse(where)
	switch {
	case err != nil:
		return nil, errors.New("the webhook is no URL")
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, errors.New("the webhook is no URL (want https://host/path)")
	}
	client := &http.Client{
		Timeout:       postTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Webhook{u, client}, nil
}

// post is the form of what is posted. The text is where incoming webhooks of chat
// servers, such as Mattermost, read it.
type post struct {
	Version int    `json:"version"`
	Text    string `json:"text"`
	Items   []Item `json:"items"`
	Omitted int    `json:"omitted"` // items, beyond the first 200
}

// To implements [Teller].
func (h *Webhook) To() string { return "webhook at " + h.url.Host }

// Tell posts news. Any answer but 2xx is an error.
func (h *Webhook) Tell(ctx context.Context, items []Item) error {
	shown := items[:min(len(items), maxItems)]
	data, err := json.Marshal(post{1, subject(items) + "\n" + body(items), shown, len(items) - len(shown)})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(data))
	if err != nil {
		return h.failed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.client.Do(req)
	if err != nil {
		return h.failed(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		return nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxComplaint)) // what came is enough for a person
	return h.failed(fmt.Errorf("answered %s: %s", resp.Status, text.Short(string(said), maxComplaint)))
}

// failed says why nothing was posted. The http package puts the URL around the cause.
// What a server says is not shown if it repeats a part of the URL, as many do that do
// not know a path.
func (h *Webhook) failed(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	u := *h.url
	u.Scheme, u.Host = "", ""
	for _, form := range []string{u.String(), u.Path, u.User.String()} {
		for part := range strings.FieldsFuncSeq(form, func(r rune) bool { return strings.ContainsRune("/?&=;:@", r) }) {
			if len(part) >= minSecret && strings.Contains(err.Error(), part) {
				return fmt.Errorf("the webhook at %s failed, and what it says repeats its URL", h.url.Host)
			}
		}
	}
	return fmt.Errorf("the webhook at %s: %w", h.url.Host, err)
}
