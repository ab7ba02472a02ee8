namespace Serve.Specs.Binding;

/// <summary>Format of a setting's value, where the property's type alone does not determine it.</summary>
internal enum ConfigFormat
{
    Any,
    Name,
    NonEmptyText,
    RoutePrefix,
    RootPath,
    HostName,
    Seconds,
    PositiveSeconds,
    ResourceAmount,
    DeviceAmount,
    RoutingKey,
    PositiveAmount,
    Percent,
    Fraction,
    HeaderMatch,
}

/// <summary>
/// Describes a configuration key next to the property that holds its value. The key's name is the property's in snake_case; reading, validating, merging and writing
/// follow from this description and the property's type.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ConfigKeyAttribute(ConfigFormat format = ConfigFormat.Any) : Attribute
{
    public ConfigFormat Format { get; } = format;

    /// <summary>Ray's name of the key, if it differs.</summary>
    public string? Alias { get; init; }

    /// <summary>Smallest allowed integer.</summary>
    public long Minimum { get; init; } = long.MinValue;

    /// <summary>Largest allowed integer.</summary>
    public long Maximum { get; init; } = long.MaxValue;

    /// <summary>Purpose of the key, for the error when a required key is missing; null if the key is optional.</summary>
    public string? Required { get; init; }
}
