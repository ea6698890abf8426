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
