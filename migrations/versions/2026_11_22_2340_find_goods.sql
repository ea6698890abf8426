-- What a listing is found by follows its clock, whoever moves it. Statements are separated by a line of two dashes and nothing else.
CREATE FUNCTION offers_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE offer SET status = NEW.status, closes_at = COALESCE(NEW.effective_end_at, 'infinity') WHERE listing_id = NEW.id;
    RETURN NULL;
END
$$
--
CREATE TRIGGER offers_follow AFTER UPDATE OF status, effective_end_at ON listing FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.effective_end_at IS DISTINCT FROM NEW.effective_end_at)
EXECUTE FUNCTION offers_follow()
--
-- The planner learns how many items there are of each kind, and which kinds there are none of.
CREATE STATISTICS offer_kinds (mcv) ON grade, return_reason, disposition_floor, mode, direction FROM offer
--
ALTER STATISTICS offer_kinds SET STATISTICS 2000
--
ALTER TABLE offer ALTER COLUMN term SET STATISTICS 1000, ALTER COLUMN h3_res3 SET STATISTICS 1000
