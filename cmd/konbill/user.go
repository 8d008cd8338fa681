package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"konbill/batch"
	"konbill/batch/web"
)

// byCommand is who did what is done at the command line, in the record of acts.
const byCommand = "konbill user"

// longestUser bounds a name, in characters.
const longestUser = 64

func (a *app) userCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: a.say("画面の利用者を管理", "Manage who may use the page")}
	var role string
	add := &cobra.Command{
		Use:   "add NAME",
		Short: a.say("利用者を追加", "Let somebody use the page"),
		Long: a.say("画面（web.listen）の利用者を追加します。パスワードは入力を求めます（標準入力からも渡せます）。",
			"Lets somebody use the page (web.listen). The password is asked for, or read from standard input."),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.addUser(cmd.Context(), args[0], batch.Role(role))
		},
	}
	add.Flags().StringVar(&role, "role", string(batch.Viewer), a.say("役割：viewer（閲覧）、preparer（作成）、approver（承認）", "viewer, preparer or approver"))
	remove := &cobra.Command{
		Use:   "remove NAME",
		Short: a.say("利用者を削除（記録は残ります）", "Keep somebody from using the page; what they did stays on record"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.removeUser(cmd.Context(), args[0]) },
	}
	password := &cobra.Command{
		Use:   "password NAME",
		Short: a.say("パスワードを変更", "Set somebody's password"),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.setPassword(cmd.Context(), args[0]) },
	}
	list := a.withJSON(&cobra.Command{
		Use:   "list",
		Short: a.say("利用者の一覧", "List who may use the page"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.listUsers(cmd.Context()) },
	})
	for _, one := range []*cobra.Command{add, remove, password} {
		one.Args = a.usage(cobra.ExactArgs(1))
	}
	list.Args = a.usage(nil)
	cmd.AddCommand(add, remove, password, list)
	return cmd
}

func (a *app) addUser(ctx context.Context, name string, role batch.Role) error {
	if !isUserName(name) {
		return &usageError{errors.New(a.say("名前は 64 文字までで、改行や前後の空白は使えません", "a name has up to 64 characters, no line breaks, and no space at its ends"))}
	}
	if !slices.Contains(batch.Roles, role) {
		return &usageError{errors.New(a.say("--role には viewer、preparer、approver のどれかを指定してください", "--role can be viewer, preparer or approver"))}
	}
	hash, err := a.askPassword()
	if err != nil {
		return err
	}
	_, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	err = book.AddPerson(ctx, batch.Person{Name: name, Role: role, Password: hash, CreatedAt: a.now()})
	if errors.Is(err, batch.ErrPersonExists) {
		return fmt.Errorf(a.say("利用者「%s」はすでにいます。パスワードは konbill user password で変更できます", "%q may use the page already; konbill user password sets another password"), name)
	}
	if err == nil {
		err = book.RecordAct(ctx, batch.Act{At: a.now(), Person: byCommand, What: "added", About: name})
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, a.say("利用者「%s」を追加しました（%s）\n", "Added %q (%s)\n"), name, role)
	return err
}

func isUserName(name string) bool {
	return name != "" && strings.TrimSpace(name) == name && utf8.ValidString(name) && utf8.RuneCountInString(name) <= longestUser &&
		!strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

func (a *app) removeUser(ctx context.Context, name string) error {
	_, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if err := a.orNobody(name, book.RemovePerson(ctx, name, a.now())); err != nil {
		return err
	}
	if err := book.RecordAct(ctx, batch.Act{At: a.now(), Person: byCommand, What: "removed", About: name}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, a.say("利用者「%s」を削除しました。操作の記録は残ります。\n", "Removed %q. What they did stays on record.\n"), name)
	return err
}

func (a *app) setPassword(ctx context.Context, name string) error {
	hash, err := a.askPassword()
	if err != nil {
		return err
	}
	_, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if err := a.orNobody(name, book.SetPassword(ctx, name, hash)); err != nil {
		return err
	}
	if err := book.RecordAct(ctx, batch.Act{At: a.now(), Person: byCommand, What: "password_set", About: name}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, a.say("利用者「%s」のパスワードを変更しました。ログイン中の画面は終了します。\n", "Set the password of %q. Their sessions have ended.\n"), name)
	return err
}

func (a *app) orNobody(name string, err error) error {
	if errors.Is(err, batch.ErrNotFound) {
		return fmt.Errorf(a.say("利用者「%s」はいません。一覧は konbill user list で表示できます", "nobody is called %q; konbill user list shows who there is"), name)
	}
	return err
}

func (a *app) listUsers(ctx context.Context) error {
	_, book, err := a.openBook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	people, err := book.People(ctx)
	if err != nil {
		return err
	}
	type person struct {
		Name    string     `json:"name"`
		Role    batch.Role `json:"role"`
		Added   string     `json:"added_at"`
		Removed string     `json:"removed_at,omitempty"`
	}
	all, rows := []person{}, [][]string{{"", a.say("名前", "name"), a.say("役割", "role"), a.say("追加", "added"), a.say("削除", "removed")}}
	for _, p := range people {
		all = append(all, person{p.Name, p.Role, batch.Timestamp(p.CreatedAt), batch.Timestamp(p.RemovedAt)})
		rows = append(rows, []string{"", p.Name, string(p.Role), japanTime(p.CreatedAt), japanTime(p.RemovedAt)})
	}
	if a.json {
		return a.printJSON(map[string]any{"users": all})
	}
	table(a.stdout, rows)
	return nil
}

// askPassword asks for a password twice at a terminal, or reads it from standard input,
// and returns what is stored of it.
func (a *app) askPassword() (hash string, err error) {
	password, err := a.readPassword()
	if err != nil {
		return "", err
	}
	hash, err = web.HashPassword(password)
	if errors.Is(err, web.ErrPassword) {
		return "", fmt.Errorf(a.say("パスワードは %d 文字以上、256 文字以下にしてください", "a password has %d to 256 characters"), web.MinPassword)
	}
	return hash, err
}

func (a *app) readPassword() (string, error) {
	file, isFile := a.stdin.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(a.stdin, 4<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var typed [2]string
	for i, prompt := range []string{a.say("パスワード：", "Password: "), a.say("もう一度：", "Once more: ")} {
		fmt.Fprint(a.stderr, prompt)
		text, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(a.stderr)
		if err != nil {
			return "", err
		}
		typed[i] = string(text)
	}
	if typed[0] != typed[1] {
		return "", errors.New(a.say("二つのパスワードが一致しません。もう一度実行してください", "the two passwords differ; run it once more"))
	}
	return typed[0], nil
}
