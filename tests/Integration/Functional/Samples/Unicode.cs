using System.Globalization;
using System.Text;
using Serve;

/// <summary>Text functions that need ICU.</summary>
[Deployment]
public sealed class Unicode
{
    public object Call() => new
    {
        decomposed = "\u00e9".Normalize(NormalizationForm.FormD).Length,
        compatible = "\ufb01".Normalize(NormalizationForm.FormKC),
        korean = CultureNames().Contains("ko-KR") ? new DateTime(2024, 3, 1).ToString("MMMM", CultureInfo.GetCultureInfo("ko-KR")) : "none",
        current = CultureInfo.CurrentCulture.Name,
    };

    private static IEnumerable<string> CultureNames() => CultureInfo.GetCultures(CultureTypes.AllCultures).Select(culture => culture.Name);
}
