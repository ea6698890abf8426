-- The ledger's function, triggers and grants. Statements are separated by a line of two dashes and nothing else.
CREATE FUNCTION ledger_check(p_posting bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_lines integer; v_currency text;
BEGIN
    SELECT count(*) INTO v_lines FROM ledger_entry WHERE posting_id = p_posting;
    IF v_lines < 2 THEN
        RAISE EXCEPTION 'posting % has % entries', p_posting, v_lines
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_too_few_lines';
    END IF;
    SELECT currency INTO v_currency FROM ledger_entry WHERE posting_id = p_posting
    GROUP BY currency HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting % does not balance in %', p_posting, v_currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_unbalanced';
    END IF;
END $$
--
CREATE FUNCTION ledger_post(
    p_key text, p_kind text, p_livemode boolean, p_order_id text, p_stripe_ref text,
    p_effective_at timestamptz, p_reverses bigint, p_lines jsonb
) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_hash bytea := sha256(convert_to(
        jsonb_build_array(p_kind, p_livemode, p_order_id, p_stripe_ref, p_reverses, p_lines)::text, 'UTF8'));
    v_posting bigint;
    v_known bytea;
    v_strange text;
BEGIN
    INSERT INTO ledger_posting (livemode, posting_key, body_hash, kind, order_id, stripe_ref, effective_at, reverses)
    VALUES (p_livemode, p_key, v_hash, p_kind, p_order_id, p_stripe_ref, p_effective_at, p_reverses)
    -- On any conflict: a twin in flight may be met at the key or at the reference, whichever index comes first.
    ON CONFLICT DO NOTHING RETURNING id INTO v_posting;
    IF v_posting IS NULL THEN
        SELECT body_hash INTO v_known FROM ledger_posting WHERE posting_key = p_key;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'balance transaction % is posted under another key', p_stripe_ref
                USING ERRCODE = 'unique_violation', CONSTRAINT = 'uq_ledger_posting_stripe_ref';
        END IF;
        IF v_known IS DISTINCT FROM v_hash THEN
            RAISE EXCEPTION 'posting % was written with another body', p_key
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_posting_key_reused';
        END IF;
        RETURN false;
    END IF;

    SELECT code INTO v_strange FROM jsonb_to_recordset(p_lines) AS line (code text)
    WHERE code IS NULL OR code NOT IN (
        'stripe_balance', 'bank', 'receivable', 'dispute_clearing', 'suspense', 'deal_hold', 'payable', 'refund_due',
        'vat_output', 'commission', 'stripe_fee', 'dispute_fee', 'bad_debt') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no account %', v_strange
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_unknown';
    END IF;

    INSERT INTO ledger_account (livemode, kind, code, owner, currency, hot, overdraft, balance)
    SELECT DISTINCT p_livemode,
        CASE WHEN code IN ('stripe_balance', 'bank', 'receivable', 'dispute_clearing', 'suspense') THEN 'asset'
             WHEN code IN ('deal_hold', 'payable', 'refund_due', 'vat_output') THEN 'liability'
             WHEN code = 'commission' THEN 'income' ELSE 'expense' END,
        code, owner, currency,
        code IN ('stripe_balance', 'bank', 'commission', 'stripe_fee', 'vat_output'), code = 'suspense', 0
    FROM jsonb_to_recordset(p_lines) AS line (code text, owner text, currency text)
    ORDER BY code, owner, currency
    ON CONFLICT (livemode, code, owner, currency) DO NOTHING;

    -- Locked in id order, so that two postings never wait for each other. Hot accounts are not locked at all.
    PERFORM FROM ledger_account account
    WHERE NOT hot AND livemode = p_livemode AND (code, owner, currency) IN (
        SELECT code, owner, currency FROM jsonb_to_recordset(p_lines) AS line (code text, owner text, currency text))
    ORDER BY id FOR NO KEY UPDATE;

    INSERT INTO ledger_entry (posting_id, line, account_id, livemode, currency, amount)
    SELECT v_posting, line.n, account.id, p_livemode, account.currency, (line.body ->> 'amount')::bigint
    FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS line (body, n)
    JOIN ledger_account account ON account.livemode = p_livemode AND account.code = line.body ->> 'code'
        AND account.owner = line.body ->> 'owner' AND account.currency = line.body ->> 'currency';

    UPDATE ledger_account account SET balance = balance + moved.amount
    FROM (SELECT account_id, sum(amount)::bigint AS amount FROM ledger_entry WHERE posting_id = v_posting
          GROUP BY account_id) AS moved
    WHERE account.id = moved.account_id AND NOT account.hot;

    PERFORM ledger_check(v_posting);
    RETURN true;
END $$
--
CREATE FUNCTION ledger_is_balanced() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM ledger_check(((to_jsonb(NEW)) ->> TG_ARGV[0])::bigint);
    RETURN NULL;
END $$
--
CREATE FUNCTION ledger_entry_is_in_time() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT xid FROM ledger_posting WHERE id = NEW.posting_id) IS DISTINCT FROM (pg_current_xact_id()::text)::bigint THEN
        RAISE EXCEPTION 'posting % was written by another transaction', NEW.posting_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_too_late';
    END IF;
    RETURN NEW;
END $$
--
CREATE FUNCTION ledger_is_unchangeable() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the ledger is never changed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_unchangeable';
END $$
--
CREATE CONSTRAINT TRIGGER ledger_posting_balanced AFTER INSERT ON ledger_posting DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced('id')
--
CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_is_balanced('posting_id')
--
CREATE TRIGGER ledger_entry_in_time BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_entry_is_in_time()
--
CREATE TRIGGER ledger_posting_unchangeable BEFORE UPDATE OR DELETE ON ledger_posting FOR EACH ROW EXECUTE FUNCTION ledger_is_unchangeable()
--
CREATE TRIGGER ledger_entry_unchangeable BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_is_unchangeable()
--
CREATE TRIGGER ledger_account_kept BEFORE DELETE ON ledger_account FOR EACH ROW EXECUTE FUNCTION ledger_is_unchangeable()
--
CREATE TRIGGER ledger_account_not_truncated BEFORE TRUNCATE ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_unchangeable()
--
CREATE TRIGGER ledger_posting_not_truncated BEFORE TRUNCATE ON ledger_posting FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_unchangeable()
--
CREATE TRIGGER ledger_entry_not_truncated BEFORE TRUNCATE ON ledger_entry FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_unchangeable()
--
REVOKE ALL ON ledger_account, ledger_posting, ledger_entry FROM backhaul_app
--
GRANT SELECT ON ledger_account, ledger_posting, ledger_entry TO backhaul_app
--
REVOKE ALL ON FUNCTION ledger_post(text, text, boolean, text, text, timestamptz, bigint, jsonb) FROM PUBLIC
--
REVOKE ALL ON FUNCTION ledger_check(bigint) FROM PUBLIC
--
REVOKE ALL ON FUNCTION ledger_is_balanced() FROM PUBLIC
--
REVOKE ALL ON FUNCTION ledger_entry_is_in_time() FROM PUBLIC
--
REVOKE ALL ON FUNCTION ledger_is_unchangeable() FROM PUBLIC
--
GRANT EXECUTE ON FUNCTION ledger_post(text, text, boolean, text, text, timestamptz, bigint, jsonb) TO backhaul_app
