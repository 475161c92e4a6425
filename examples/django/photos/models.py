from django.db import models


class Photo(models.Model):
    title = models.CharField(max_length=100)
    file = models.FileField(upload_to="photos/%Y/%m/")
    uploaded = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-uploaded", "-id"]
