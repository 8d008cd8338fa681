package main

import (
	"fmt"
	"time"

	"konbill/invoice"
	"konbill/templates"
)

// merchant sends every slip and every mail.
var merchant = templates.Merchant{
	Name: "さくら商店", Address: "〒100-0001 東京都千代田区千代田1-1", Phone: "03-0000-0000",
	Hours: "平日 9:00〜17:00", Email: "billing@sakura.example", RegistrationNumber: "T1180301018771",
}

var (
	surnames   = []string{"佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "佐々木", "松本", "井上", "木村", "清水", "斎藤", "阿部", "森"}
	givenNames = []string{"太郎", "花子", "一郎", "美咲", "健太", "陽子", "翔", "さくら", "大輔", "恵", "直樹", "由美", "拓也", "真理子", "浩", "和子", "誠", "明美", "隆", "久美子", "学", "愛", "修"}
)

// nameOf is the name of the customer of an order.
func nameOf(order int) string {
	return surnames[order%len(surnames)] + " " + givenNames[order%len(givenNames)]
}

// instructionsOf are the facts of an order's slip; no two are the same.
func instructionsOf(order int) templates.Instructions {
	return templates.Instructions{
		Merchant: merchant,
		Invoice: invoice.Invoice{
			Number: fmt.Sprintf("INV-2026-%05d", order), Name: nameOf(order), SentName: nameOf(order),
			Email: fmt.Sprintf("customer%d@example.jp", order), Phone: fmt.Sprintf("090%08d", 12345678+order*7919%10000000),
			Amount: invoice.Yen(1000 + order*37%40000), Language: invoice.Japanese,
			Description: fmt.Sprintf("%d月分ご利用料金", order%12+1),
		},
		PaymentCode:  fmt.Sprintf("%06d", 100000+order*7919%900000),
		AuthorizeURI: fmt.Sprintf("https://pay.omise.co/offlines/econtext/instructions/oflp_test_5%018x", order*7919),
		ExpiresAt:    time.Date(2026, 12, 1+order%28, 15, 0, 0, 0, time.UTC),
	}
}

// invoicesOf are the invoices of the first orders.
func invoicesOf(orders int) []invoice.Invoice {
	var all []invoice.Invoice
	for order := range orders {
		all = append(all, instructionsOf(order).Invoice)
	}
	return all
}
