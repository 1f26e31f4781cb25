DROP TABLE external_badge_sharing;
