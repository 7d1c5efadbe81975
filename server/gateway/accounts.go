package gateway

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource"
)

// accountJSON is a service account as the API tells it. DataSources is not
// Grafana's: the uids of the only data sources that it may ask, none for all.
type accountJSON struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Login       string      `json:"login"`
	OrgID       int64       `json:"orgId"`
	IsDisabled  bool        `json:"isDisabled"`
	CreatedAt   time.Time   `json:"createdAt"`
	UpdatedAt   time.Time   `json:"updatedAt"`
	Role        access.Role `json:"role"`
	Tokens      int         `json:"tokens"`
	DataSources []string    `json:"dataSources"`
}

// tokenJSON is a token as the API tells it: its text is told by createToken
// only.
type tokenJSON struct {
	ID                     int64      `json:"id"`
	Name                   string     `json:"name"`
	Created                time.Time  `json:"created"`
	LastUsedAt             *time.Time `json:"lastUsedAt"`
	Expiration             *time.Time `json:"expiration"`
	SecondsUntilExpiration float64    `json:"secondsUntilExpiration"`
	HasExpired             bool       `json:"hasExpired"`
	IsRevoked              bool       `json:"isRevoked"`
}

// accountCommand is the body that creates or changes an account; what it does
// not mention stays.
type accountCommand struct {
	Name        *string   `json:"name"`
	Role        *string   `json:"role"`
	IsDisabled  *bool     `json:"isDisabled"`
	DataSources *[]string `json:"dataSources"`
}

// listAccounts answers GET /api/serviceaccounts with all of them.
func (g *Gateway) listAccounts(w http.ResponseWriter, _ *http.Request) error {
	list := []accountJSON{}
	for _, a := range g.accounts.List() {
		list = append(list, accountJSONOf(a))
	}
	return writeJSON(w, http.StatusOK, list)
}

// defaultPerPage is how many accounts a page of a search has if it does not say.
const defaultPerPage = 1000

// searchAccounts answers GET /api/serviceaccounts/search with a page of those
// whose name or login contains the query.
func (g *Gateway) searchAccounts(w http.ResponseWriter, r *http.Request) error {
	params := r.URL.Query()
	page, err := positive(params.Get("page"), 1)
	if err != nil {
		return badRequest("bad request data: page: %w", err)
	}
	perPage, err := positive(params.Get("perpage"), defaultPerPage)
	if err != nil {
		return badRequest("bad request data: perpage: %w", err)
	}
	found := []accountJSON{}
	query := strings.ToLower(params.Get("query"))
	for _, a := range g.accounts.List() {
		if strings.Contains(strings.ToLower(a.Name), query) || strings.Contains(a.Login, query) {
			found = append(found, accountJSONOf(a))
		}
	}
	from := min((page-1)*perPage, len(found))
	return writeJSON(w, http.StatusOK, struct {
		TotalCount      int           `json:"totalCount"`
		ServiceAccounts []accountJSON `json:"serviceAccounts"`
		Page            int           `json:"page"`
		PerPage         int           `json:"perPage"`
	}{len(found), found[from:min(from+perPage, len(found))], page, perPage})
}

// createAccount answers POST /api/serviceaccounts. Who is to be what is not
// said is a Viewer of all data sources.
func (g *Gateway) createAccount(w http.ResponseWriter, r *http.Request) error {
	change, err := g.readAccount(w, r)
	if err != nil {
		return err
	}
	account := access.Account{Role: access.Viewer}
	change(&account)
	if account, err = g.accounts.Create(r.Context(), account); err != nil {
		return accountFailure(err)
	}
	return writeJSON(w, http.StatusCreated, accountJSONOf(account))
}

// getAccount answers GET /api/serviceaccounts/:id.
func (g *Gateway) getAccount(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, accountJSONOf(a))
}

// updateAccount answers PATCH /api/serviceaccounts/:id.
func (g *Gateway) updateAccount(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	change, err := g.readAccount(w, r)
	if err != nil {
		return err
	}
	if a, err = g.accounts.Update(r.Context(), a.ID, change); err != nil {
		return accountFailure(err)
	}
	return writeJSON(w, http.StatusOK, struct {
		ID             int64       `json:"id"`
		Message        string      `json:"message"`
		Name           string      `json:"name"`
		ServiceAccount accountJSON `json:"serviceaccount"`
	}{a.ID, "Service account updated", a.Name, accountJSONOf(a)})
}

// deleteAccount answers DELETE /api/serviceaccounts/:id.
func (g *Gateway) deleteAccount(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	if err := g.accounts.Delete(r.Context(), a.ID); err != nil {
		return accountFailure(err)
	}
	return writeJSON(w, http.StatusOK, map[string]string{"message": "Service account deleted"})
}

// listTokens answers GET /api/serviceaccounts/:id/tokens.
func (g *Gateway) listTokens(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	list, now := []tokenJSON{}, time.Now()
	for _, t := range a.Tokens {
		left := max(t.Expires.Sub(now), 0)
		list = append(list, tokenJSON{
			ID: t.ID, Name: t.Name, Created: t.Created, LastUsedAt: timeOrNil(t.Used), Expiration: timeOrNil(t.Expires),
			SecondsUntilExpiration: left.Seconds(), HasExpired: !t.Expires.IsZero() && left == 0,
		})
	}
	return writeJSON(w, http.StatusOK, list)
}

// maxTokenLife keeps the sum of now and a life from running over.
const maxTokenLife = 100 * 365 * 24 * 3600

// createToken answers POST /api/serviceaccounts/:id/tokens with the token: the
// one time that it is shown.
func (g *Gateway) createToken(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	var body struct {
		Name          string `json:"name"`
		SecondsToLive int64  `json:"secondsToLive"`
	}
	if err := g.readJSON(w, r, &body); err != nil {
		return err
	}
	if body.SecondsToLive < 0 || body.SecondsToLive > maxTokenLife {
		return badRequest("bad request data: secondsToLive is 0, for ever, or up to a hundred years, not %d", body.SecondsToLive)
	}
	var expires time.Time
	if body.SecondsToLive > 0 {
		expires = time.Now().Add(time.Duration(body.SecondsToLive) * time.Second)
	}
	token, text, err := g.accounts.AddToken(r.Context(), a.ID, body.Name, expires)
	if err != nil {
		return accountFailure(err)
	}
	return writeJSON(w, http.StatusOK, struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
		Key  string `json:"key"`
	}{token.ID, token.Name, text})
}

// deleteToken answers DELETE /api/serviceaccounts/:id/tokens/:tokenId.
func (g *Gateway) deleteToken(w http.ResponseWriter, r *http.Request) error {
	a, err := g.account(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("token"), 10, 64)
	if err != nil {
		return badRequest("Token ID is invalid: %q is no number", r.PathValue("token"))
	}
	if err := g.accounts.RemoveToken(r.Context(), a.ID, id); err != nil {
		return accountFailure(err)
	}
	return writeJSON(w, http.StatusOK, map[string]string{"message": "Service account token deleted"})
}

// account returns the account that a request's path names.
func (g *Gateway) account(r *http.Request) (access.Account, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return access.Account{}, badRequest("Service account ID is invalid: %q is no number", r.PathValue("id"))
	}
	a, err := g.accounts.Get(id)
	if err != nil {
		return access.Account{}, accountFailure(err)
	}
	return a, nil
}

// readAccount reads and checks the body that describes an account, and returns
// what it changes.
func (g *Gateway) readAccount(w http.ResponseWriter, r *http.Request) (func(*access.Account), error) {
	var c accountCommand
	if err := g.readJSON(w, r, &c); err != nil {
		return nil, err
	}
	var role access.Role
	if c.Role != nil {
		var err error
		if role, err = access.ParseRole(*c.Role); err != nil {
			return nil, accountFailure(err)
		}
	}
	if c.DataSources != nil {
		if err := g.checkUIDs(r.Context(), *c.DataSources); err != nil {
			return nil, err
		}
	}
	return func(a *access.Account) {
		a.Name = *cmp.Or(c.Name, &a.Name)
		a.Role = cmp.Or(role, a.Role)
		a.Disabled = *cmp.Or(c.IsDisabled, &a.Disabled)
		a.DataSources = *cmp.Or(c.DataSources, &a.DataSources)
	}, nil
}

// checkUIDs refuses uids that nothing has: with a slip of the hand a token would
// be good for nothing, and nobody would know why.
func (g *Gateway) checkUIDs(ctx context.Context, uids []string) error {
	for _, uid := range uids {
		_, err := g.store.DataSource(ctx, datasource.ByUID(uid))
		if errors.Is(err, datasource.ErrNotFound) {
			return badRequest("bad request data: dataSources: there is no data source with the uid %q", uid)
		}
		if err != nil && !errors.Is(err, datasource.ErrDamaged) {
			return storeFailure(err)
		}
	}
	return nil
}

func accountJSONOf(a access.Account) accountJSON {
	return accountJSON{
		ID: a.ID, Name: a.Name, Login: a.Login, OrgID: orgID, IsDisabled: a.Disabled,
		CreatedAt: a.Created, UpdatedAt: a.Updated, Role: a.Role, Tokens: len(a.Tokens),
		DataSources: append([]string{}, a.DataSources...), // [], not null
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// positive reads a number of at least 1 and small enough to be multiplied.
func positive(text string, fallback int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseUint(text, 10, 15)
	if err == nil && n == 0 {
		err = errors.New("it starts at 1")
	}
	return int(n), err
}
