"""What allauth's second factors ask of us: secrets sealed, our own name in the app, the last factor kept."""

from allauth.mfa.adapter import DefaultMFAAdapter

from infusion_center.accounts import second_factor
from infusion_center.core.sealing import seal, unseal


class FactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right. Codes change every half minute: take the one shown now.",
        "cannot_delete_authenticator": second_factor.LAST_ONE_STAYS,
    }

    def encrypt(self, text):
        return seal(text)

    def decrypt(self, encrypted_text):
        return unseal(encrypted_text)

    def can_delete_authenticator(self, authenticator):
        return second_factor.may_remove(authenticator)

    def get_totp_issuer(self):
        return "Infusion center"

    def generate_authenticator_name(self, user, type):
        return f"Passkey {second_factor.passkeys_of(user).count() + 1}"
