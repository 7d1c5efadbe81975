package sqlstore_test

import (
	"context"
	"fmt"
	"os"

	"github.com/plugboard/plugboard/server/datasource"
	"github.com/plugboard/plugboard/server/datasource/sqlstore"
)

func Example() {
	dir, err := os.MkdirTemp("", "plugboard")
	check(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, dir, sqlstore.KeySource{})
	check(err)
	defer store.Close()

	created, err := store.Create(ctx, datasource.DataSource{
		Name: "Weather", UID: "weather", Type: "acme-weather-datasource", URL: "http://127.0.0.1:1",
		Secrets: map[string]string{"apiKey": "k", "token": "t"},
	})
	check(err)
	fmt.Println(created.ID, created.Version, created.SecretFields())

	created.Secrets = map[string]string{"token": ""} // the key is kept, the token removed
	updated, err := store.Update(ctx, created)
	check(err)
	fmt.Println(updated.ID, updated.Version, updated.SecretFields(), updated.Updated.After(created.Updated))
	// Output:
	// 1 1 [apiKey token]
	// 1 2 [apiKey] true
}

func ExampleStore_provisioning() {
	dir, err := os.MkdirTemp("", "plugboard")
	check(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, dir, sqlstore.KeySource{})
	check(err)
	defer store.Close()

	asked := datasource.Provisioning{DataSources: []datasource.DataSource{
		{Name: "Weather", UID: "weather", Type: "acme-weather-datasource", ReadOnly: true, Provenance: "datasources/a.yaml"},
	}}
	first, err := datasource.Apply(ctx, store, asked)
	check(err)
	again, err := datasource.Apply(ctx, store, asked)
	check(err)
	fmt.Println(len(first.Created), len(again.Created), len(again.Updated))

	_, err = store.Update(ctx, first.Created[0])
	fmt.Println(err)
	// Output:
	// 1 0 0
	// update data source: data source "Weather": data source is provisioned and read-only
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
