package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/server/datasource"
)

// applySettings writes what --set and --secret say into a data source.
func applySettings(d *datasource.DataSource, set, secrets []string) error {
	object := map[string]any{}
	for _, assignment := range set {
		key, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return misused("--set is KEY=VALUE, not %q", assignment)
		}
		if path, within := strings.CutPrefix(key, "jsonData."); within {
			if err := setPath(object, strings.Split(path, "."), jsonValue(value)); err != nil {
				return misused("--set %s: %w", key, err)
			}
		} else if err := setOwn(d, key, value); err != nil {
			return err
		}
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return misused("--set: %w", err)
	}
	d.JSON = raw
	d.Secrets = map[string]string{}
	for _, assignment := range secrets {
		key, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return misused("--secret is KEY=VALUE: one of them has no \"=\"")
		}
		d.Secrets[key] = value
	}
	return nil
}

// setOwn sets one of the data source's own fields.
func setOwn(d *datasource.DataSource, key, value string) error {
	fields := map[string]*string{
		"url": &d.URL, "user": &d.User, "database": &d.Database, "basicAuthUser": &d.BasicAuthUser, "name": &d.Name,
	}
	if field, ok := fields[key]; ok {
		*field = value
		return nil
	}
	if key != "basicAuth" {
		return misused("--set knows url, user, database, basicAuth, basicAuthUser, name and jsonData.KEY, not %q", key)
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return misused("--set basicAuth is true or false, not %q", value)
	}
	d.BasicAuth = on
	return nil
}

// jsonValue reads a value as JSON if it is that, and else as a string: a
// number that is to be a string is written in quotes.
func jsonValue(text string) any {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return text
}

// setPath sets a value in an object of objects.
func setPath(object map[string]any, path []string, value any) error {
	key := path[0]
	if key == "" {
		return errors.New("a key is empty")
	}
	if len(path) == 1 {
		object[key] = value
		return nil
	}
	inner, ok := object[key].(map[string]any)
	if !ok {
		if _, taken := object[key]; taken {
			return fmt.Errorf("%s has a value of its own already", key)
		}
		inner = map[string]any{}
		object[key] = inner
	}
	return setPath(inner, path[1:], value)
}
