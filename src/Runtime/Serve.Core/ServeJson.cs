using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serve;

/// <summary>The JSON dialects: for settings and documents of the platform, for the state API, and for the arguments and results of user code.</summary>
public static class ServeJson
{
    // As ASP.NET Core writes bodies: nothing here goes into a page, and people read it.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <summary>Settings, REST payloads and stored state: snake_case as in Ray Serve's config files, enums as snake_case text, nulls left out.</summary>
    public static JsonSerializerOptions Options { get; } = Freeze(new JsonSerializerOptions
    {
        Encoder = Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    });

    /// <summary>The state API (<c>/api/v0</c>): as <see cref="Options"/>, but enums in capitals as Ray writes them, <c>PENDING_SCHEDULING</c>.</summary>
    public static JsonSerializerOptions State { get; } = Freeze(new JsonSerializerOptions
    {
        Encoder = Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseUpper) },
    });

    /// <summary>Arguments and results of handle calls between processes: ASP.NET Core's web defaults, the same as HTTP bodies have.</summary>
    public static JsonSerializerOptions Calls { get; } = Freeze(new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = Encoder });

    private static JsonSerializerOptions Freeze(JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
