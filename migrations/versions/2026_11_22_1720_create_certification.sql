-- Certification's functions, triggers and grants. Statements are separated by a line of two dashes and nothing else.
CREATE FUNCTION certification_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$
--
DO $$
DECLARE v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY[
        'custody_event', 'custody_line', 'batch_code', 'certificate_version', 'impact_statement', 'evidence'
    ] LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM backhaul_app', v_table);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION certification_append_only()',
            v_table || '_append_only', v_table);
        EXECUTE format(
            'CREATE TRIGGER %I BEFORE TRUNCATE ON %I EXECUTE FUNCTION certification_append_only()',
            v_table || '_not_emptied', v_table);
    END LOOP;
END $$
--
REVOKE DELETE, TRUNCATE ON material_batch, batch_claim, claim_allocation, certificate, certificate_batch, certificate_event,
    status_list, signing_key FROM backhaul_app
--
CREATE FUNCTION custody_chain_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position > 1 AND NOT EXISTS (
        SELECT FROM custody_event before
        WHERE before.site_id = NEW.site_id AND before.position = NEW.position - 1 AND before.hash = NEW.prev_hash
    ) THEN
        RAISE EXCEPTION '% does not follow the event before it', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custody_event_follows';
    END IF;
    RETURN NEW;
END $$
--
CREATE TRIGGER custody_chain_goes_on BEFORE INSERT ON custody_event
    FOR EACH ROW EXECUTE FUNCTION custody_chain_goes_on()
--
CREATE FUNCTION custody_event_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_event custody_event; v_in bigint; v_out bigint; v_accepted bigint; v_refused bigint;
BEGIN
    SELECT * INTO v_event FROM custody_event
    WHERE id = CASE TG_TABLE_NAME WHEN 'custody_event' THEN to_jsonb(NEW) ->> 'id' ELSE to_jsonb(NEW) ->> 'event_id' END;
    SELECT COALESCE(sum(mass_g) FILTER (WHERE direction = 'in'), 0),
           COALESCE(sum(mass_g) FILTER (WHERE direction = 'out'), 0),
           COALESCE(sum(mass_g) FILTER (WHERE disposition = 'accepted'), 0),
           COALESCE(sum(mass_g) FILTER (WHERE disposition = 'refused'), 0)
    INTO v_in, v_out, v_accepted, v_refused FROM custody_line WHERE event_id = v_event.id;
    IF v_event.type = 'make' AND (v_in = 0 OR v_in <> v_out + v_event.loss_g) THEN
        RAISE EXCEPTION '%: % g in, % g out, % g lost', v_event.id, v_in, v_out, v_event.loss_g
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custody_event_balances';
    END IF;
    IF v_event.received_g IS NOT NULL AND (v_accepted, v_refused) <> (v_event.accepted_g, v_event.refused_g) THEN
        RAISE EXCEPTION '%: its lines are not what it accepted and refused', v_event.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'custody_event_balances';
    END IF;
    RETURN NULL;
END $$
--
CREATE CONSTRAINT TRIGGER custody_event_balances AFTER INSERT ON custody_event DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION custody_event_balances()
--
CREATE CONSTRAINT TRIGGER custody_line_balances AFTER INSERT ON custody_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION custody_event_balances()
--
CREATE FUNCTION batch_books_close() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE v_batch material_batch; v_taken bigint; v_born bigint; v_adjusted bigint;
BEGIN
    SELECT * INTO v_batch FROM material_batch
    WHERE id = CASE TG_TABLE_NAME WHEN 'material_batch' THEN to_jsonb(NEW) ->> 'id' ELSE to_jsonb(NEW) ->> 'batch_id' END;
    SELECT COALESCE(sum(line.mass_g) FILTER (WHERE line.direction = 'in' AND event.type IN ('make', 'move')), 0),
           COALESCE(sum(line.mass_g) FILTER (WHERE line.direction = 'out' AND event.id = v_batch.born_in), 0),
           COALESCE(sum(event.adjusted_g), 0)
    INTO v_taken, v_born, v_adjusted
    FROM custody_line line JOIN custody_event event ON event.id = line.event_id WHERE line.batch_id = v_batch.id;
    IF v_batch.mass_g <> v_born + v_adjusted OR v_batch.remaining_g <> v_batch.mass_g - v_taken THEN
        RAISE EXCEPTION '%: % g born, % g adjusted, % g taken, % g on the books, % g left',
            v_batch.id, v_born, v_adjusted, v_taken, v_batch.mass_g, v_batch.remaining_g
            USING ERRCODE = 'check_violation', CONSTRAINT = 'batch_books_close';
    END IF;
    RETURN NULL;
END $$
--
CREATE CONSTRAINT TRIGGER batch_books_close AFTER INSERT OR UPDATE OF mass_g, remaining_g ON material_batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION batch_books_close()
--
CREATE CONSTRAINT TRIGGER custody_line_books AFTER INSERT ON custody_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION batch_books_close()
--
CREATE FUNCTION batch_keeps_its_birth() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% was born once', OLD.id USING ERRCODE = 'restrict_violation', CONSTRAINT = 'batch_keeps_its_birth';
END $$
--
CREATE TRIGGER batch_keeps_its_birth BEFORE UPDATE OF born_in ON material_batch
    FOR EACH ROW WHEN (OLD.born_in IS DISTINCT FROM NEW.born_in) EXECUTE FUNCTION batch_keeps_its_birth()
