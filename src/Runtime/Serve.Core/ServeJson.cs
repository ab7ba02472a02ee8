using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve;

/// <summary>JSON serializer options: for configuration and documents of the platform, for the state API, and for arguments and results of user code.</summary>
public static class ServeJson
{
    // Like ASP.NET Core response bodies: the text is not embedded in HTML, and should be readable.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Gets the options for configuration, REST payloads and stored state: snake_case as in Ray Serve's config files, enums as snake_case text, nulls omitted.</summary>
    public static JsonSerializerOptions Options { get; } = Freeze(new JsonSerializerOptions
    {
        Encoder = Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    });

    /// <summary>Gets the options for the state API (<c>/api/v0</c>): like <see cref="Options"/>, but with enums in upper case as in Ray, for instance <c>PENDING_SCHEDULING</c>.</summary>
    public static JsonSerializerOptions State { get; } = Freeze(new JsonSerializerOptions
    {
        Encoder = Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseUpper) },
    });

    /// <summary>Gets the options for arguments and results of handle calls between processes: ASP.NET Core's web defaults, the same as for HTTP bodies.</summary>
    public static JsonSerializerOptions Calls { get; } = Freeze(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = Encoder });

    private static JsonSerializerOptions Freeze(JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
