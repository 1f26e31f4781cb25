DROP TABLE external_badges;
