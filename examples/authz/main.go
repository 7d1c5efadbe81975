// Command authz is a data source that tells people only what they may know: it
// looks at who asks, and at what a permission service of the house says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/plugin"
	"github.com/plugboard/plugboard/plugin/httpclient"
)

func main() { plugin.Main(plugin.DataSource(open)) }

type settings struct {
	// URL is that of the permission service.
	URL string `json:"url"`
}

type model struct {
	Department string `json:"department" plugboard:"text"`
}

// spent is what everybody wants to know.
var spent = map[string][]float64{
	"kitchen": {120, 95.5, 310},
	"lab":     {9000, 14250, 700},
}

// budgets is one data source. It keeps no decisions: a permission that is
// withdrawn is gone with the next question.
type budgets struct {
	service *url.URL
	client  *http.Client
}

func open(_ context.Context, s plugin.Settings[settings]) (*budgets, error) {
	service, err := url.Parse(s.Values.URL)
	if err != nil || service.Host == "" {
		return nil, plugin.BadRequest("settings: url must be that of the permission service")
	}
	client, err := httpclient.New(s)
	return &budgets{service, client}, err
}

// Close closes the connections that the client keeps.
func (b *budgets) Close() error {
	b.client.CloseIdleConnections()
	return nil
}

func (b *budgets) Query(ctx context.Context, q plugin.Query[model]) (frame.Frames, error) {
	if err := b.permit(ctx, q.Model.Department); err != nil {
		return nil, err
	}
	figures, ok := spent[q.Model.Department]
	if !ok {
		return nil, plugin.BadRequest("query: there is no department %q", q.Model.Department)
	}
	return frame.Frames{frame.New("spent", frame.NewField("spent", frame.Labels{"department": q.Model.Department}, figures))}, nil
}

// ServeHTTP answers GET /departments with those that the user may see.
func (b *budgets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/departments" {
		http.NotFound(w, r)
		return
	}
	seen := []string{}
	for _, department := range []string{"kitchen", "lab"} {
		if b.permit(r.Context(), department) == nil {
			seen = append(seen, department)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen) // the caller has gone
}

// CheckHealth may run on nobody's account: it asks whether the service is there.
func (b *budgets) CheckHealth(ctx context.Context) (plugin.Health, error) {
	_, err := b.ask(ctx, plugin.User{}, "")
	return plugin.Health{Message: "the permission service answers"}, err
}

// permit returns nil if the user of the call may see a department. Without a
// user, or without an answer of the service, nobody may.
func (b *budgets) permit(ctx context.Context, department string) error {
	user := plugin.ContextFrom(ctx).User
	if user == nil || user.Login == "" {
		return plugin.Errorf(http.StatusForbidden, "budgets are for people who are logged in")
	}
	allowed, err := b.ask(ctx, *user, department)
	if err != nil {
		return err
	}
	if !allowed {
		return plugin.Errorf(http.StatusForbidden, "%s may not see the budget of department %q", user.Login, department)
	}
	return nil
}

// ask asks the permission service.
func (b *budgets) ask(ctx context.Context, user plugin.User, department string) (allowed bool, err error) {
	target := b.service.JoinPath("allowed")
	target.RawQuery = url.Values{"user": {user.Login}, "role": {user.Role}, "department": {department}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return false, err
	}
	response, err := b.client.Do(request)
	if err != nil {
		return false, fmt.Errorf("permission service: %w", httpclient.Fault(err))
	}
	defer response.Body.Close()
	if err := httpclient.Refusal(response); err != nil {
		return false, fmt.Errorf("permission service: %w", err)
	}
	var answer struct {
		Allowed bool `json:"allowed"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return false, plugin.Downstream(fmt.Errorf("permission service: %w", err))
	}
	return answer.Allowed, nil
}
