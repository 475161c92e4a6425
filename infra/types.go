package infra

// Type tokens of the components. Every URN below a component includes its token, so changing one replaces everything
// in the component unless an alias keeps the old name.
const (
	typeSource        = "cicd:index:Source"
	typeRegistry      = "cicd:index:Registry"
	typeArtifactStore = "cicd:index:ArtifactStore"
	typeEnvironment   = "cicd:index:Environment"
	typeData          = "cicd:index:Data"
	typeBuild         = "cicd:index:Build"
	typeDomain        = "cicd:index:Domain"
	typeTarget        = "cicd:index:Target"
	typePipeline      = "cicd:index:Pipeline"
)
