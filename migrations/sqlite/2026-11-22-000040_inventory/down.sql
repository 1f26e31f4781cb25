DROP TABLE inventory_snapshots;
DROP TABLE inventory_purposes;
DROP TABLE award_sharing;
