package access_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"os"
	"time"

	"github.com/plugboard/plugboard/server/access"
	"github.com/plugboard/plugboard/server/datasource/sqlstore"
)

// A token for a poller that may ask one data source.
func ExampleAccounts() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store, err := sqlstore.Open(ctx, dir, sqlstore.KeySource{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	accounts, err := access.OpenAccounts(ctx, store, slog.New(slog.DiscardHandler))
	if err != nil {
		log.Fatal(err)
	}
	guard, _, err := access.Open(ctx, access.Config{Passwords: store, Accounts: accounts})
	if err != nil {
		log.Fatal(err)
	}

	account, err := accounts.Create(ctx, access.Account{Name: "Poller", Role: access.Viewer, DataSources: []string{"seattle"}})
	if err != nil {
		log.Fatal(err)
	}
	_, text, err := accounts.AddToken(ctx, account.ID, "first", time.Now().AddDate(0, 3, 0))
	if err != nil {
		log.Fatal(err)
	}

	request := httptest.NewRequest("GET", "/api/datasources", nil)
	request.Header.Set("Authorization", "Bearer "+text)
	user, err := guard.Identify(request)
	fmt.Println(user.Login, user.Role, user.MayAsk("seattle"), user.MayAsk("payroll"), err)

	if err := accounts.Delete(ctx, account.ID); err != nil {
		log.Fatal(err)
	}
	_, err = guard.Identify(request)
	fmt.Println(err)
	// Output:
	// sa-1-poller Viewer true false <nil>
	// Invalid API key: the token was revoked, or is from another server
}
