from django.shortcuts import render

from infusion_center.accounts.access import signed_in


@signed_in(reason="everybody starts at home; it links only to what the role may open")
def home(request):
    return render(request, "accounts/home.html")
