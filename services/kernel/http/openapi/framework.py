"""What each status says in general, and the codes that belong to no context: the framework's, and details that several share."""

from services.kernel.problem_codes import explain, explain_framework

REQUEST_ID = "req_5f0c8f6e2b7a4f3e9d1c0a8b7e6f5d4c"
STATUSES = {
    400: "The request cannot be read.",
    401: "No valid credential was presented.",
    403: "The credential may not do this.",
    404: "There is nothing here that the caller may see.",
    409: "The world forbids it now; `errors` holds every reason.",
    412: "It has changed since it was read; the answer's ETag is current.",
    413: "The body is too large.",
    422: "What was sent is not valid; `errors` points at each place.",
    428: "Send If-Match: this moves money or makes an award.",
    429: "Too many; `Retry-After` says when to go on.",
    500: "We failed; nothing was changed.",
    503: "Something we need does not answer; nothing was changed.",
}

explain_framework(400, "bad_request", "The request cannot be read", "The request is not what HTTP or the form allows.")
explain_framework(400, "json_invalid", "The request cannot be read", "The body is not JSON.")
explain(409, blocked="Several rules refuse it; `errors` holds the code of each.")
explain(
    422,
    cursor_invalid="The cursor is not one this list gave.",
    idempotency_key_invalid="An Idempotency-Key has 1 to 255 characters.",
    idempotency_key_too_short="Without a credential, an Idempotency-Key has at least 20 characters: nobody else may guess it.",
)
explain(
    422,
    in_the_future="This has not happened yet.",
    in_the_past="This is over already.",
    currency_differs="The amount is in another currency than what it is for.",
    negative="Less than nothing is not an amount here.",
    not_forward="The sandbox's clock moves forward, by a year at most.",
    file_empty="The file is empty.",
    file_type_not_allowed="The content of the file is of none of the types that are taken.",
    not_in_chain="The chain has no entry with this number yet.",
    one_of="Exactly one of the fields is given.",
    text_unstorable="Text may not hold NUL or lone surrogates.",
    operation_unknown="An operation is R1 to R13 or D1 to D15.",
    material_unknown="The material is not in our list.",
    code_not_valid="The waste code does not hold there and then.",
)
