package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/plugboard/plugboard/server/datasource"
)

// applySettings writes what --set says into a data source.
func applySettings(d *datasource.DataSource, set []string) error {
	object, err := decodeObject(d.JSON)
	if err != nil {
		return failed("the data source's jsonData: %w", err)
	}
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
	return nil
}

// decodeObject reads jsonData, numbers as they are written.
func decodeObject(raw json.RawMessage) (map[string]any, error) {
	object := map[string]any{}
	if len(raw) == 0 {
		return object, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	err := decoder.Decode(&object)
	if object == nil { // null
		object = map[string]any{}
	}
	return object, err
}

// jsonText writes a value of jsonData the way --set takes it, more or less.
func jsonText(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(raw)
}

// longestSecret is more than a certificate chain needs.
const longestSecret = 1 << 20

// readSecrets reads what --secret says: KEY=VALUE, KEY=@FILE, or KEY=@- for
// standard input. No error repeats a value.
func readSecrets(assignments []string, stdin io.Reader) (map[string]string, error) {
	secrets := map[string]string{}
	for _, assignment := range assignments {
		key, value, ok := strings.Cut(assignment, "=")
		if !ok || key == "" {
			return nil, misused("--secret is KEY=VALUE, or KEY=@FILE: one of them has no \"=\", or no KEY")
		}
		if name, from := strings.CutPrefix(value, "@"); from {
			var err error
			if value, err = readSecret(name, stdin); err != nil {
				return nil, misused("--secret %s: %w", key, err)
			}
		}
		secrets[key] = value
	}
	return secrets, nil
}

func readSecret(name string, stdin io.Reader) (string, error) {
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer file.Close()
		stdin = file
	}
	text, err := io.ReadAll(io.LimitReader(stdin, longestSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > longestSecret {
		return "", fmt.Errorf("it has over %d bytes", longestSecret)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
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

func isNull(value any) bool {
	raw, ok := value.(json.RawMessage)
	return ok && string(bytes.TrimSpace(raw)) == "null"
}

// setPath sets a value in an object of objects.
func setPath(object map[string]any, path []string, value any) error {
	key := path[0]
	if key == "" {
		return errors.New("a key is empty")
	}
	if len(path) == 1 {
		if object[key] = value; isNull(value) {
			delete(object, key)
		}
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
