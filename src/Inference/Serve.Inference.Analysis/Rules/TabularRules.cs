using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators of classical models (domain ai.onnx.ml) on tables of [rows, features]. A vector is one row for them.</summary>
internal static class TabularRules
{
    public static readonly Dictionary<string, Func<OperatorCall, TensorFact[]?>> Operators = new()
    {
        ["LabelEncoder"] = OperatorRules.One(Elementwise),
        ["CategoryMapper"] = OperatorRules.One(Elementwise),
        ["Binarizer"] = OperatorRules.One(Elementwise),
        ["Scaler"] = OperatorRules.One(PerFeature),
        ["Imputer"] = OperatorRules.One(PerFeature),
        ["Normalizer"] = OperatorRules.One(PerFeature),
        ["TreeEnsemble"] = OperatorRules.One(call => Regressor(call, "n_targets")),
        ["TreeEnsembleRegressor"] = OperatorRules.One(call => Regressor(call, "n_targets")),
        ["LinearRegressor"] = OperatorRules.One(call => Regressor(call, "targets")),
        ["SVMRegressor"] = OperatorRules.One(call => Regressor(call, "n_targets")),
        ["TreeEnsembleClassifier"] = Classifier,
        ["LinearClassifier"] = Classifier,
        ["SVMClassifier"] = Classifier,
        ["ZipMap"] = OperatorRules.One(call => IsTable(call.Required(0)) ? Rows(call) with { IsSequence = true } : TensorFact.Refuted("takes rows for classes")),
        ["OneHotEncoder"] = OperatorRules.One(OneHotEncoder),
        ["ArrayFeatureExtractor"] = OperatorRules.One(ArrayFeatureExtractor),
        ["FeatureVectorizer"] = OperatorRules.One(FeatureVectorizer),
    };

    private static bool IsTable(TensorFact input) => input is { IsPerRow: true, RowDimension: 0, Rank: 2, IsSequence: false };

    private static TensorFact Rows(OperatorCall call, params SymbolicLength[] features)
    {
        var input = call.Required(0);
        return input.Reshaped([input.Lengths[0], .. features], 0) with { IsUniform = false };
    }

    private static TensorFact? Elementwise(OperatorCall call) => call.Required(0) is { IsPerRow: true, IsSequence: false } input ? input.WithNewElements() : null;

    private static TensorFact? PerFeature(OperatorCall call)
    {
        var input = call.Required(0);
        return !input.IsPerRow ? null : IsTable(input) ? input.WithNewElements()
            : input.RowDimension == input.Rank - 1 ? TensorFact.Refuted("takes rows for features") : null;
    }

    private static TensorFact? Regressor(OperatorCall call, string targets) =>
        !call.Required(0).IsPerRow ? null
        : IsTable(call.Required(0)) ? Rows(call, SymbolicLength.Of(call.Integer(targets, 1))) : TensorFact.Refuted("takes rows for features");

    private static TensorFact[]? Classifier(OperatorCall call)
    {
        if (!call.Required(0).IsPerRow)
            return null;
        var mixed = TensorFact.Refuted("takes rows for features");
        return IsTable(call.Required(0))
            ? OperatorRules.FirstAndOthers(call, Rows(call), Rows(call, call.Arithmetic.NewLength()))
            : OperatorRules.FirstAndOthers(call, mixed, mixed);
    }

    private static TensorFact? OneHotEncoder(OperatorCall call) => call.Required(0) is not { IsPerRow: true } input ? null
        : input.Reshaped([.. input.Lengths, call.Integers("cats_int64s") is { Length: > 0 } categories ? SymbolicLength.Of(categories.Length) : call.Arithmetic.NewLength()], input.RowDimension);

    private static TensorFact? ArrayFeatureExtractor(OperatorCall call)
    {
        var input = call.Required(0);
        if (!input.IsPerRow)
            return null;
        if (call.RejectVariableInputs() is { } rejection)
            return rejection;
        return input.Rank >= 2 && input.RowDimension < input.Rank - 1
            ? input.Reshaped([.. input.Lengths[..^1], call.Required(1).Shape is { } picked ? call.Arithmetic.Product(picked) : call.Arithmetic.NewLength()], input.RowDimension)
            : TensorFact.Refuted("picks rows by their position");
    }

    private static TensorFact? FeatureVectorizer(OperatorCall call) =>
        IndexRules.CommonRows(call.Inputs) is { IsPerRow: true, RowDimension: 0 } && call.Inputs.All(input => input is { Rank: >= 2 })
            ? Rows(call, call.Arithmetic.NewLength()) : null;
}
