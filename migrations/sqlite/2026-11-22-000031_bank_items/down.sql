DROP TABLE bank_item_uses;
DROP TABLE bank_item_frameworks;
DROP TABLE bank_items;
