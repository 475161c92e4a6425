from django import forms
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from .models import Photo


class PhotoForm(forms.ModelForm):
    class Meta:
        model = Photo
        fields = ["title", "file"]


def index(request):
    form = PhotoForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not form.is_valid():
            return JsonResponse(form.errors, status=400)
        photo = form.save()
        return JsonResponse({"title": photo.title, "url": photo.file.url}, status=201)
    return render(request, "index.html", {"form": form, "photos": Photo.objects.all()[:20], "count": Photo.objects.count()})


def health(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok")
