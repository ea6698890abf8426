"""What happens to material, written into the chain of the site where it happens."""

from services.certification.custody.inspecting import inspected
from services.certification.custody.loading import loaded
from services.certification.custody.recording import MadeOutput, Report, Taken, record

__all__ = ["MadeOutput", "Report", "Taken", "inspected", "loaded", "record"]
