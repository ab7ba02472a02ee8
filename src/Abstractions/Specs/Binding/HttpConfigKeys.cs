using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>The keys of how the gateway listens: <c>http_options</c> in Ray Serve's schema: name, range, property.</summary>
internal static class HttpConfigKeys
{
    public static ConfigKeyTable<HttpOptions> Table { get; } = new(
        new HttpOptions(),
        Key("host", new ConstrainedTextRule(NameRules.NotEmptyProblem), o => o.Host, (o, v) => o with { Host = v }),
        Key("port", new IntegerRangeRule<int>(0, 65_535), o => o.Port, (o, v) => o with { Port = v }),
        Key("root_path", new ConstrainedTextRule(NameRules.RootPathProblem), o => o.RootPath, (o, v) => o with { RootPath = v }),
        Key("request_timeout_s", NumberRangeRule.PositiveSeconds, o => o.RequestTimeoutS, (o, v) => o with { RequestTimeoutS = v }),
        Key("keep_alive_timeout_s", NumberRangeRule.PositiveSeconds, o => o.KeepAliveTimeoutS, (o, v) => o with { KeepAliveTimeoutS = v }),
        Key("max_request_body_bytes", new IntegerRangeRule<long>(1, long.MaxValue), o => o.MaxRequestBodyBytes, (o, v) => o with { MaxRequestBodyBytes = v }),
        NotYet("ssl_keyfile"),
        NotYet("ssl_certfile"),
        NotYet("ssl_keyfile_password"),
        NotYet("ssl_ca_certs"));

    private static ConfigValueKey<HttpOptions, T> Key<T>(
        string name, ConfigValueRule<T> rule, Func<HttpOptions, object?> get, Func<HttpOptions, T, HttpOptions> set, string? alias = null, string? required = null)
        where T : notnull => new(name, rule, get, set, alias, required);

    private static UnsupportedKey<HttpOptions> NotYet(string name, Func<JsonNode, bool>? isDefault = null) => new(name, isDefault);
}
