"""What a person does, in words that the tests of several pages share."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from harmony_dash.access.actor import Role
from tests.security.server import PASSWORD, Server, username_of


def wait_for_sign_in(page: Page) -> None:
    """Wait until the form is there and the script behind it has come to its end."""
    expect(page.get_by_label("Account name")).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def fill_sign_in(page: Page, username: str, password: str) -> None:
    """Fill the form and press the button."""
    wait_for_sign_in(page)
    page.get_by_label("Account name").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


def sign_in(page: Page, server: Server, role: Role, address: str = "/") -> None:
    """Open the address and sign in as the role's account."""
    page.goto(server.url + address)
    fill_sign_in(page, username_of(role), PASSWORD)
    expect(account_menu(page, role)).to_be_visible()


def account_menu(page: Page, role: Role) -> Locator:
    """The menu that names the person."""
    return page.get_by_role("button", name=f"Test {role.value.replace('_', ' ')}")
