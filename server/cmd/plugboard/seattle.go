package main

import (
	"context"
	"database/sql"
	_ "embed" // the table
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

// seattleCSV is Seattle's weather, day by day; seattle/README.md has its
// source and licence.
//
//go:embed seattle/weather.csv
var seattleCSV string

// seattleFile is the SQLite file that the table becomes.
const seattleFile = "seattle.db"

// writeSeattle makes a SQLite file of the table, unless it is there already.
func writeSeattle(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	part := path + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", part)
	if err != nil {
		return err
	}
	if err := errors.Join(fillSeattle(ctx, db), db.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(part, path)
}

func fillSeattle(ctx context.Context, db *sql.DB) error {
	days, err := csv.NewReader(strings.NewReader(seattleCSV)).ReadAll()
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	_, err = tx.ExecContext(ctx, `CREATE TABLE weather (
		date DATE PRIMARY KEY, precipitation REAL, temp_max REAL, temp_min REAL, wind REAL, weather TEXT)`)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO weather VALUES (?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, day := range days[1:] {
		values := make([]any, len(day))
		for i, value := range day {
			values[i] = value
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
